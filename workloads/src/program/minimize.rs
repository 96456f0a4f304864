//! Making a failing program smaller.
use super::Program;
/// The smallest program found for which `fails` still says so.
pub fn minimize(program: &Program, mut fails: impl FnMut(&Program) -> bool) -> Program {
    let _ = fails(program);
    program.clone()
}
