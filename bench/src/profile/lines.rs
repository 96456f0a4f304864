//! From what the rounds of a cell have shown to the lines of its run file.

use lockimpls::witness::Class;
use profiled::{Part, Place};
use results::histogram::{self, HistogramError};
use results::{Events, Host, Parts, Profile, Record, Site, Split, Times, time, units};

use super::{Cost, Gathered};
use crate::host;
use crate::job::Job;

/// By which share of the threads' time the parts may differ from it.
const APART_MAX: f64 = 0.05;

/// The lines of a cell: one for each class of locks that it took, and one of what its time was
/// spent on. None where it was not run.
///
/// # Errors
/// No operation was done, the parts do not add up to the time of the threads, or a histogram could
/// not be encoded.
pub fn records(
    job: &Job,
    gathered: &Gathered,
    cost: Cost,
    machine: &Host,
) -> Result<Vec<Record>, String> {
    if gathered.slices.measured() == 0 {
        return Ok(Vec::new());
    }
    if gathered.operations == 0 {
        return Err("no operation was done in the measured time".to_owned());
    }
    let (spent, wall) = (gathered.profile.spent.total(), gathered.wall_ns);
    if spent.abs_diff(wall) as f64 > APART_MAX * wall as f64 {
        let [spent, wall] = [spent, wall].map(units::time);
        return Err(format!("its parts add up to {spent}, the time of its threads is {wall}"));
    }
    let started = gathered.started.map(time::rfc3339_utc).unwrap_or_default();
    let mut records = Vec::new();
    for class in Class::ALL {
        let sites = sites(gathered, class);
        if sites.is_empty() {
            continue;
        }
        let mut events = sites.iter().fold(Events::default(), |all, site| sum(all, &site.events));
        encode(gathered, class, &mut events).map_err(|error| error.to_string())?;
        records.push(Record::from(Profile {
            cell: job.cell.id(),
            class: class.name().to_owned(),
            events,
            sites,
            commit: host::commit(),
            dirty: host::dirty(),
            started: started.clone(),
            host: machine.clone(),
        }));
    }
    records.push(Record::from(Split {
        cell_id: job.cell.id(),
        cell: job.cell.clone(),
        operations: gathered.operations,
        ns_per_operation: parts(gathered),
        wall_ns_per_operation: gathered.wall_ns as f64 / gathered.operations as f64,
        profiling_ns_per_pair: cost.profiling_ns,
        lock_ns_per_pair: cost.lock_ns,
        slices: gathered.slices,
        commit: host::commit(),
        dirty: host::dirty(),
        started,
        host: machine.clone(),
    }));
    Ok(records)
}

/// The places of a class, the hottest first: where most time was waited and held.
fn sites(gathered: &Gathered, class: Class) -> Vec<Site> {
    let of_class = gathered.profile.places.iter().filter(|place| place.class == class);
    let mut sites: Vec<Site> =
        of_class.map(|place| Site { at: place.at.clone(), events: events(place) }).collect();
    let heat = |site: &Site| site.events.wait_ns.total + site.events.hold_ns.total;
    sites.sort_by(|one, other| heat(other).cmp(&heat(one)).then_with(|| one.at.cmp(&other.at)));
    sites
}

fn events(place: &Place) -> Events {
    let times = |of: &profiled::Times| Times::new(of.count, [of.min_ns, of.max_ns], of.total_ns);
    Events {
        acquisitions: place.hold.count,
        contentions: place.wait.count,
        acq_bounces: place.acq_bounces,
        con_bounces: place.con_bounces,
        relocks: place.relocks,
        retries: place.retries,
        saved: place.saved,
        wait_ns: times(&place.wait),
        hold_ns: times(&place.hold),
    }
}

fn sum(all: Events, more: &Events) -> Events {
    let times = |[had, has]: [u64; 2], all: &Times, more: &Times| {
        let min = match (had, has) {
            (0, _) => more.min,
            (_, 0) => all.min,
            _ => all.min.min(more.min),
        };
        Times::new(had + has, [min, all.max.max(more.max)], all.total + more.total)
    };
    let waits = [all.contentions, more.contentions];
    let holds = [all.acquisitions, more.acquisitions];
    Events {
        acquisitions: holds.iter().sum(),
        contentions: waits.iter().sum(),
        acq_bounces: all.acq_bounces + more.acq_bounces,
        con_bounces: all.con_bounces + more.con_bounces,
        relocks: all.relocks + more.relocks,
        retries: all.retries + more.retries,
        saved: all.saved + more.saved,
        wait_ns: times(waits, &all.wait_ns, &more.wait_ns),
        hold_ns: times(holds, &all.hold_ns, &more.hold_ns),
    }
}

/// Adds the histograms of a class.
fn encode(gathered: &Gathered, class: Class, events: &mut Events) -> Result<(), HistogramError> {
    let found = gathered.profile.histograms.iter().find(|(known, _)| *known == class);
    let Some((_, found)) = found else { return Ok(()) };
    for (times, kept) in [(&mut events.wait_ns, &found.wait), (&mut events.hold_ns, &found.hold)] {
        if !kept.is_empty() {
            times.histogram = Some(histogram::encode(kept)?);
        }
    }
    Ok(())
}

fn parts(gathered: &Gathered) -> Parts {
    let of = |part: Part| gathered.profile.spent.of(part) as f64 / gathered.operations as f64;
    Parts {
        copy: of(Part::Copy),
        wait: of(Part::Wait),
        hold: of(Part::Hold),
        relock: of(Part::Relock),
        parked: of(Part::Parked),
        rest: of(Part::Rest),
    }
}
