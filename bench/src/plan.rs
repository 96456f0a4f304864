//! What a run will do: its cells, in groups that differ in the backend alone, and what it leaves
//! out and why.

use std::collections::BTreeMap;

use lockimpls::{Algorithm, Ambient, Config, SockType, WaitStrategy};
use results::Cell;
use results::units::counted;
use workloads::{Own, Plan};

use crate::job::{Job, has_what_it_takes, may_have};
use crate::matrix::{self, Case};
use crate::pool::THREADS_MAX;
use crate::settings::Settings;

/// Cells that differ in the backend alone: the ones whose launches are compared with each other.
pub type Group = Vec<Job>;

/// What cannot run as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The cell without its backend.
    pub what: String,
    /// Why, in the workload's words.
    pub why: String,
}

/// What is told of what cannot run: a sentence for each reason, with the first of its cells.
#[must_use]
pub fn told(skipped: &[Skipped]) -> Vec<String> {
    let mut reasons: Vec<(&Skipped, usize)> = Vec::new();
    for one in skipped {
        match reasons.iter_mut().find(|(first, _)| first.why == one.why) {
            Some((_, more)) => *more += 1,
            None => reasons.push((one, 0)),
        }
    }
    let sentence = |(first, more): (&Skipped, usize)| match more {
        0 => format!("{}: {}", first.what, first.why),
        more => format!("{} (and {more} more): {}", first.what, first.why),
    };
    reasons.into_iter().map(sentence).collect()
}

/// The groups of each number of threads, ascending.
#[must_use]
pub fn parts(settings: &Settings) -> (BTreeMap<usize, Vec<Group>>, Vec<Skipped>) {
    let cases = matrix::cases();
    let (mut parts, mut skipped) = (BTreeMap::<usize, Vec<Group>>::new(), Vec::new());
    for shape in shapes(settings) {
        let of_shape = |case: &&Case| {
            case.workload.name == shape.workload
                && settings.backends.iter().any(|name| name == case.backend.name)
        };
        let cases: Vec<&Case> = cases.iter().filter(of_shape).collect();
        let Some(first) = cases.first() else { continue };
        if let Err(why) = fits(first, &shape.plan) {
            skipped.push(Skipped { what: describe(&shape.cell(first)), why });
            continue;
        }
        let mut possible: Vec<&Case> = Vec::new();
        for case in cases {
            match can_run(case, &shape) {
                Ok(()) => possible.push(case),
                Err(why) => skipped.push(Skipped { what: describe(&shape.cell(case)), why }),
            }
        }
        if possible.is_empty() {
            continue;
        }
        let group = possible.into_iter().map(|case| shape.job(case)).collect();
        parts.entry(shape.plan.threads).or_default().push(group);
    }
    (parts, skipped)
}

fn fits(case: &Case, plan: &Plan) -> Result<(), String> {
    if plan.threads > THREADS_MAX {
        return Err(format!("at most {THREADS_MAX} threads can run"));
    }
    (case.workload.fits)(plan)
}

fn can_run(case: &Case, shape: &Shape) -> Result<(), String> {
    may_have(&case.backend, shape.lock, shape.ambient)?;
    has_what_it_takes(case, shape.plan.socket_type)
}

/// A cell without its backend.
struct Shape {
    workload: String,
    plan: Plan,
    wait: WaitStrategy,
    lock: Algorithm,
    ambient: Ambient,
}

impl Shape {
    fn job(&self, case: &Case) -> Job {
        let Shape { wait, lock, ambient, .. } = *self;
        let config = Config { wait, lock, ambient, ..Config::default() };
        Job { cell: self.cell(case), case: *case, plan: self.plan.clone(), config }
    }

    fn cell(&self, case: &Case) -> Cell {
        let (plan, workload) = (&self.plan, case.workload);
        let own = workload.parameters.iter().map(|one| (one.field, plan.value(one)));
        Cell {
            backend: case.backend.name.to_owned(),
            workload: workload.name.to_owned(),
            socket_type: plan.socket_type.name().to_owned(),
            message_bytes: plan.message_bytes as u64,
            threads: plan.threads as u32,
            wait: self.wait.name().to_owned(),
            own: own.collect(),
            lock: if self.lock == Algorithm::default() { "" } else { self.lock.name() }.to_owned(),
            ambient: self.ambient.names().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// All but the backend, in words.
#[must_use]
pub fn describe(cell: &Cell) -> String {
    let threads = counted(cell.threads as usize, "thread");
    format!("{} with {threads}, {}", cell.workload, cell.title())
}

/// Every combination of what was asked for, but what a workload does not look at is not varied, and
/// a workload that fixes its number of threads is not asked for another.
fn shapes(settings: &Settings) -> Vec<Shape> {
    let workloads = matrix::workloads();
    let mut shapes = Vec::new();
    for name in &settings.workloads {
        let Some(workload) = workloads.iter().find(|workload| workload.name == name) else {
            continue;
        };
        let variants = variants(settings, workload);
        for message in messages(settings) {
            for own in variants.clone() {
                let plan = Plan {
                    threads: 0,
                    socket_type: message.socket_type,
                    message_bytes: message.bytes,
                    verify: false,
                    own,
                    seed: settings.seed,
                };
                let own = (workload.threads)(&plan).map(|own| vec![own]);
                for threads in own.unwrap_or_else(|| settings.threads.clone()) {
                    let plan = Plan { threads, ..plan.clone() };
                    let Message { wait, lock, ambient, .. } = message;
                    shapes.push(Shape { workload: name.clone(), plan, wait, lock, ambient });
                }
            }
        }
    }
    shapes
}

/// A message, and the layer it is sent through.
#[derive(Clone, Copy)]
struct Message {
    socket_type: SockType,
    bytes: usize,
    wait: WaitStrategy,
    lock: Algorithm,
    ambient: Ambient,
}

fn messages(settings: &Settings) -> Vec<Message> {
    let mut messages = Vec::new();
    for &socket_type in &settings.socket_types {
        for &bytes in &settings.message_bytes {
            for &wait in &settings.waits {
                for &lock in &settings.locks {
                    let all = settings.ambients.iter();
                    let of = |ambient: &Ambient| Message {
                        socket_type,
                        bytes,
                        wait,
                        lock,
                        ambient: *ambient,
                    };
                    messages.extend(all.map(of));
                }
            }
        }
    }
    messages
}

/// Every combination of the numbers of a workload's own that were asked for.
fn variants(settings: &Settings, workload: &matrix::Workload) -> Vec<Own> {
    let mut variants: Vec<Vec<(&'static str, f64)>> = vec![Vec::new()];
    for parameter in workload.parameters {
        let asked = settings.own.iter().find(|(field, _)| *field == parameter.field);
        let values = asked.map_or_else(|| vec![parameter.default], |(_, values)| values.clone());
        let with = |begin: &Vec<_>, value| [&begin[..], &[(parameter.field, value)]].concat();
        let each = variants.iter().flat_map(|begin| values.iter().map(|value| with(begin, *value)));
        variants = each.collect();
    }
    variants.into_iter().map(Own::from_iter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{OwnArgs, RunArgs};
    use crate::cpus::Cpus;
    use crate::job::job;

    fn parts_of(change: impl FnOnce(&mut RunArgs)) -> (BTreeMap<usize, Vec<Group>>, Vec<Skipped>) {
        let mut args = RunArgs::default();
        change(&mut args);
        parts(&Settings::new(&args, &Cpus::allowed().unwrap()).unwrap())
    }

    #[test]
    fn groups_have_as_many_threads_as_they_need() {
        let (parts, skipped) = parts_of(|args| {
            args.cells.workload = vec!["groups".to_owned(), "pairs".to_owned()];
            args.cells.backend = vec!["global".to_owned()];
            args.cells.threads = vec!["1".to_owned()];
            args.cells.own =
                OwnArgs::given(&[("groups", &[1.0, 2.0]), ("fan", &[1.0, 4.0, 100.0])]);
        });
        let ids: Vec<Vec<String>> = parts
            .values()
            .map(|groups| groups.iter().flatten().map(|job| job.cell.id()).collect())
            .collect();
        assert_eq!(
            ids,
            [
                vec!["pairs/global/stream/64B/t1/adaptive"],
                vec!["groups/global/stream/64B/t2/adaptive/g1f1"],
                vec!["groups/global/stream/64B/t4/adaptive/g2f1"],
                vec!["groups/global/stream/64B/t8/adaptive/g1f4"],
                vec!["groups/global/stream/64B/t16/adaptive/g2f4"],
            ]
        );
        assert_eq!(skipped.len(), 2, "{skipped:?}");
        assert!(skipped[0].why.starts_with("at most "), "{skipped:?}");
    }

    #[test]
    fn each_set_of_locks_around_the_layer_is_a_cell_and_the_machine_has_none() {
        let (parts, skipped) = parts_of(|args| {
            args.cells.workload = vec!["pairs".to_owned()];
            args.cells.backend = vec!["global".to_owned(), "host".to_owned()];
            args.cells.threads = vec!["1".to_owned()];
            args.cells.ambient = vec!["none".to_owned(), "f-mtx,kernel-lock".to_owned()];
        });
        let jobs: Vec<&Job> = parts.values().flatten().flatten().collect();
        let ids: Vec<String> = jobs.iter().map(|job| job.cell.id()).collect();
        assert_eq!(
            ids,
            [
                "pairs/global/stream/64B/t1/adaptive",
                "pairs/host/stream/64B/t1/adaptive",
                "pairs/global/stream/64B/t1/adaptive/kernel-lock+f-mtx",
            ]
        );
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        let under = "pairs with 1 thread, stream, 64 B, adaptive, under kernel-lock and f-mtx";
        assert_eq!((&*skipped[0].what, &*describe(&jobs[2].cell)), (under, under));
        assert_eq!(describe(&jobs[0].cell), "pairs with 1 thread, stream, 64 B, adaptive");
        assert!(skipped[0].why.starts_with("host is the machine's own"), "{skipped:?}");
        // What another program names is looked at in the same way.
        let of_cell = job(&jobs[2].cell, 1).unwrap();
        assert_eq!(of_cell.config.ambient, Ambient::F_MTX | Ambient::KERNEL_LOCK);
        let refused = |change: &dyn Fn(&mut Cell)| {
            let mut cell = jobs[2].cell.clone();
            change(&mut cell);
            job(&cell, 1).unwrap_err()
        };
        assert!(refused(&|cell| cell.backend = "host".to_owned()).contains("without --ambient"));
        assert!(refused(&|cell| cell.ambient = vec!["x".to_owned()]).contains("kernel-lock, "));
    }

    #[test]
    fn each_algorithm_is_a_cell_whose_one_name_is_the_same_for_other_programs() {
        let (parts, skipped) = parts_of(|args| {
            args.cells.workload = vec!["pairs".to_owned()];
            args.cells.backend = vec!["host".to_owned(), "global".to_owned()];
            args.cells.threads = vec!["1".to_owned()];
            args.cells.lock = ["ticket", "parking-lot", "mcs"].map(str::to_owned).to_vec();
        });
        let jobs: Vec<&Job> = parts.values().flatten().flatten().collect();
        let found: Vec<(String, Algorithm)> =
            jobs.iter().map(|job| (job.cell.id(), job.config.lock)).collect();
        let name = |backend: &str| format!("pairs/{backend}/stream/64B/t1/adaptive");
        assert_eq!(
            found,
            [
                (name("global") + "/ticket", Algorithm::Ticket),
                (name("global"), Algorithm::ParkingLot),
                (name("host"), Algorithm::ParkingLot),
                (name("global") + "/mcs", Algorithm::Mcs),
            ]
        );
        let ticket = "pairs with 1 thread, stream, 64 B, adaptive, lock ticket";
        let [told] = &told(&skipped)[..] else { panic!("{skipped:?}") };
        assert!(told.starts_with(&format!("{ticket} (and 1 more): host is the")), "{told}");
        for job_of in &jobs {
            assert_eq!(job(&job_of.cell, 1).unwrap().config.lock, job_of.config.lock);
        }
        let refused = |backend: &str, lock: &str| {
            let (backend, lock) = (backend.to_owned(), lock.to_owned());
            job(&Cell { backend, lock, ..jobs[0].cell.clone() }, 1).unwrap_err()
        };
        assert!(refused("global", "parking-lot").contains("a cell with it names no lock"));
        assert!(refused("global", "tickets").contains("did you mean \"ticket\"?"));
        assert!(refused("global", "all").contains("rwlock9, "));
        assert!(refused("host", "ticket").contains("without --lock"));
    }
}
