//! One cell, ready to run.

use lockimpls::{Ambient, Backend, Config};
use results::Cell;
use workloads::Plan;

use crate::matrix::{self, Case};
use crate::valid;

/// One cell, ready to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its coordinates.
    pub cell: Cell,
    /// The code.
    pub case: Case,
    /// What the workload is asked to do.
    pub plan: Plan,
    /// The sizes of the layer, and how it waits.
    pub config: Config,
}

/// The job of one cell, whoever named it.
///
/// # Errors
/// This program does not know the cell, or the workload does not fit it: a sentence for a user.
pub fn job(cell: &Cell, seed: u64) -> Result<Job, String> {
    let backends: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
    let workloads: Vec<&str> = matrix::workloads().iter().map(|workload| workload.name).collect();
    matrix::check_name("backend", &cell.backend, &backends)?;
    matrix::check_name("workload", &cell.workload, &workloads)?;
    let is_it =
        |case: &Case| case.backend.name == cell.backend && case.workload.name == cell.workload;
    let case = matrix::cases().into_iter().find(is_it).ok_or("no backend meets this workload")?;
    let socket_type = valid::socket_type(&cell.socket_type)?;
    let plan = Plan {
        threads: valid::thread_count(cell.threads as usize)?,
        socket_type,
        message_bytes: valid::size(cell.message_bytes as usize, socket_type)?,
        verify: false,
        rate_per_second: cell.rate_asked.unwrap_or(valid::DEFAULT_RATE),
        groups: cell.groups.unwrap_or(1) as usize,
        fan: cell.fan.unwrap_or(1) as usize,
        seed,
    };
    (case.workload.fits)(&plan)?;
    let ambient = valid::ambient(&cell.ambient)?;
    may_be_under(&case.backend, ambient)?;
    let wait = valid::wait(&cell.wait)?;
    let config = Config { wait, ambient, ..Config::default() };
    Ok(Job { cell: cell.clone(), case, plan, config })
}

/// Whether a backend has the locks of the kernel around it.
///
/// # Errors
/// It has not: why.
pub fn may_be_under(backend: &Backend, ambient: Ambient) -> Result<(), String> {
    if ambient.is_empty() || backend.modelled {
        return Ok(());
    }
    Err(format!(
        "{} is the machine's own layer, with the machine's own locks around it; ask for it without \
         --ambient",
        backend.name
    ))
}
