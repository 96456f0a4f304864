//! Programs with threads: drawing them, and judging what their calls answered.
//!
//! Two forms. A *flow* is many tagged messages from several senders to several receivers, drained
//! at the end: none may be lost, come twice, or overtake another of its sender. A *history* is a
//! few calls of all sorts: there must be an order of them, in keeping with when they were under
//! way, in which the sequential model gives the same answers ([`linear`]).

mod flow;
mod linear;

use fastrand::Rng;

use crate::Program;
use crate::runner::Trace;

/// A program with threads.
pub(crate) fn generate(rng: &mut Rng) -> Program {
    if rng.bool() { flow::generate(rng) } else { linear::generate(rng) }
}

/// What is wrong with the answers: the kind of it, and a report.
pub(crate) fn judge(program: &Program, trace: &Trace) -> Option<(String, String)> {
    flow::judge(program, trace).or_else(|| linear::judge(program, trace))
}
