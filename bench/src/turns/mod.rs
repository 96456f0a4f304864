//! Slices in turns, in fresh processes: how everything that is compared is measured, backends by
//! `solock run` and programs by `solock compare`.
//!
//! * [`server`]: one process that measures slices of a cell when it is asked; [`copy`]: from a copy
//!   of its program.
//! * [`machine`]: where such processes are started.
//! * [`launch`]: some of them side by side, taking turns: the unit of every ratio.
//! * [`disturbed`]: which slices may be used, and why not.
//! * [`record`]: what is written down of a party.

pub mod copy;
pub mod disturbed;
pub mod launch;
pub mod machine;
#[cfg(test)]
pub(crate) mod made_up;
pub mod record;
pub mod server;
