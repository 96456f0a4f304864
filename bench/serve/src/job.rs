//! One cell, ready to run.

use lockimpls::{Algorithm, Ambient, Backend, Config, Errno, Layer, SockType};
use results::Cell;
use workloads::{Own, Plan};

use crate::added::is_added;
use crate::locks;
use crate::matrix::{self, Case, Workload};
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
        own: own(cell, &case.workload)?,
        seed,
    };
    (case.workload.fits)(&plan)?;
    let ambient = valid::ambient(&cell.ambient)?;
    let lock = valid::lock(&cell.lock)?;
    may_have(&case.backend, lock, ambient)?;
    has_what_it_takes(&case, socket_type)?;
    let wait = valid::wait(&cell.wait)?;
    let config = Config { wait, lock, ambient, ..Config::default() };
    Ok(Job { cell: cell.clone(), case, plan, config })
}

/// The numbers of the workload's own.
///
/// # Errors
/// The workload has no such number, or it cannot be that.
fn own(cell: &Cell, workload: &Workload) -> Result<Own, String> {
    let known = |(field, value): (&str, f64)| {
        let parameter = workload.parameters.iter().find(|known| known.field == field);
        // It would be left aside, and measured without.
        let parameter = parameter.ok_or_else(|| format!("{} has no {field}", workload.name))?;
        let cannot = |why| format!("{field} of {} is {value}; {why}", workload.name);
        parameter.check(value).map_err(cannot).map(|()| (parameter.field, value))
    };
    cell.own.iter().map(known).collect()
}

/// A layer of a backend, whose locks are of the algorithm that the configuration names.
///
/// # Errors
/// As [`lockimpls::Domain::new`]; `EOPNOTSUPP` where the backend cannot have such locks.
pub fn layer(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    locks::open(backend, config)
}

/// Whether a backend has all calls that a workload makes on sockets of this type. What is built in
/// has, and is not asked.
///
/// # Errors
/// It has not: which.
pub fn has_what_it_takes(case: &Case, kind: SockType) -> Result<(), String> {
    let Case { backend, workload } = case;
    if !is_added(backend) {
        return Ok(());
    }
    let missing = workloads::missing(backend, (workload.needs)(kind), kind);
    if missing.is_empty() {
        return Ok(());
    }
    let (name, missing) = (backend.name, missing.join(", "));
    Err(format!("{} needs what {name} does not have: {missing}", workload.name))
}

/// Whether a backend can have locks of this algorithm, and these locks of the kernel around it.
///
/// # Errors
/// It cannot: why.
pub fn may_have(backend: &Backend, lock: Algorithm, ambient: Ambient) -> Result<(), String> {
    let (flag, around) = match (lock == Algorithm::default(), ambient.is_empty()) {
        _ if backend.modelled => return Ok(()),
        (true, true) => return Ok(()),
        (_, false) => ("--ambient", " around it"),
        (false, true) => ("--lock", ""),
    };
    let name = backend.name;
    let what = if is_added(backend) { "a layer" } else { "the machine's own layer" };
    let whose = if is_added(backend) { "locks of its own" } else { "the machine's own locks" };
    Err(format!("{name} is {what}, with {whose}{around}; ask for it without {flag}"))
}
