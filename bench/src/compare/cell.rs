//! One cell on two sides: pairs, until the verdict is clear or the budget is spent.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use results::{AgainstItself, Measure};

use super::counters::{self, PerOperation};
use super::judge::{self, Judge};
use super::layouts::Layouts;
use super::metric::{Metric, Series, Use};
use crate::protocol::Prepare;
use crate::turns::disturbed::Tally;
use crate::turns::launch::{self, Asked, Failed, Launch, Party, World};
use crate::turns::server::Failure;

/// One pair in so many is the first side with itself.
const ITSELF_EVERY: u32 = 5;
/// The largest seed of an order of functions. For 0 the linker draws a seed itself.
const SEED_MAX: u32 = i32::MAX as u32;

/// The first side with itself, over all cells: what no change looks like here.
#[derive(Clone, Debug, Default)]
pub struct Itself {
    /// By [`Metric`].
    pub series: [Series; 3],
}

impl Itself {
    /// What they say of a metric, and whether the first side differs from itself in it.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Option<(AgainstItself, bool)> {
        judge::against_itself(&self.series[metric.index()].log_ratios)
    }
}

/// Two sides, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Their programs.
    pub sides: [&'a Layouts; 2],
    /// The cell, and where its threads run.
    pub prepare: &'a Prepare,
    /// What is measured.
    pub asked: &'a Asked,
    /// The longest it may take.
    pub budget: Duration,
}

/// What the pairs of a cell said.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// By [`Metric`].
    pub series: [Series; 3],
    /// Counters per operation, slice by slice, of each side.
    pub counters: [Vec<PerOperation>; 2],
    /// Slices of all pairs.
    pub tally: Tally,
    /// What it took.
    pub elapsed: Duration,
    /// Why processes ran their program's own file and no copies, if some did.
    pub uncopied: Option<String>,
    /// What ended it early.
    pub failure: Option<Failed>,
}

impl Gathered {
    /// How many pairs were measured.
    #[must_use]
    pub fn pairs(&self) -> u32 {
        self.series[Metric::Throughput.index()].log_ratios.len() as u32
    }

    fn add(&mut self, launch: &Launch) -> Result<(), Failed> {
        if self.uncopied.is_none() {
            self.uncopied = launch.uncopied().map(str::to_owned);
        }
        for (all, taken) in self.counters.iter_mut().zip(&launch.parties) {
            all.extend(taken.used(Measure::Throughput).map(counters::per_operation));
        }
        add(&mut self.series, launch)
    }

    /// Whether more pairs would change nothing.
    fn is_clear(&self, judge: &Judge) -> bool {
        let is_final = |metric: Metric| {
            let series = &self.series[metric.index()];
            series.use_of(metric) != Use::Yes || judge.look(metric, series, false).is_final
        };
        judge.metrics.iter().copied().all(is_final)
    }
}

fn add(all: &mut [Series; 3], launch: &Launch) -> Result<(), Failed> {
    let broken = |(party, why)| Failed { party, failure: Failure::Broken(why) };
    Metric::ALL
        .into_iter()
        .try_for_each(|metric| all[metric.index()].add(metric, launch).map_err(broken))
}

/// Measures; `watch` is told how many pairs there are, and how long it took.
pub fn measure(
    world: &dyn World,
    job: Job<'_>,
    judge: &Judge,
    itself: &mut Itself,
    random: &mut fastrand::Rng,
    watch: &mut dyn FnMut(u32, Duration),
) -> Gathered {
    let (began, mut gathered) = (world.elapsed(), Gathered::default());
    let mut next_look = judge.next_look(0);
    for number in 1.. {
        gathered.elapsed = world.elapsed() - began;
        watch(gathered.pairs(), gathered.elapsed);
        if gathered.elapsed >= job.budget || next_look.is_none() || world.is_interrupted() {
            break;
        }
        let is_itself = number % ITSELF_EVERY == 0;
        let drawn = if is_itself { [0, 0] } else { [0, 1] };
        let launched = link(drawn.map(|side| job.sides[side]), random).and_then(|programs| {
            let party = |program| Party { program, prepare: job.prepare };
            launch::measure(world, &programs.each_ref().map(|p| party(p)), job.asked, random)
        });
        let added = launched.and_then(|launch| {
            let slices = launch.parties.iter().flat_map(|taken| &taken.slices);
            slices.for_each(|slice| gathered.tally.count(slice.signs));
            if is_itself { add(&mut itself.series, &launch) } else { gathered.add(&launch) }
        });
        if let Err(failed) = added {
            gathered.failure = Some(Failed { party: drawn[failed.party], ..failed });
            break;
        }
        let pairs = gathered.pairs();
        if next_look.is_some_and(|look| pairs >= look) {
            let busy = gathered.tally.is_busy() && !job.asked.noisy;
            if !busy && gathered.is_clear(judge) {
                break;
            }
            next_look = judge.next_look(pairs);
        }
    }
    gathered
}

/// Links what the two processes of a pair run, each in an order that is drawn for it, both at once.
fn link(sides: [&Layouts; 2], random: &mut fastrand::Rng) -> Result<[PathBuf; 2], Failed> {
    let seeds = sides.map(|_| random.u32(1..=SEED_MAX));
    let linked = thread::scope(|scope| {
        let links = [0, 1].map(|place| scope.spawn(move || sides[place].draw(place, seeds[place])));
        links.map(|link| link.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let failed = |party, why| Failed { party, failure: Failure::Broken(why) };
    let [first, second] = linked;
    Ok([first.map_err(|why| failed(0, why))?, second.map_err(|why| failed(1, why))?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::made_up::{Event, MadeUp, disturbed, quiet};

    const ASKED: Asked = Asked {
        slice: Duration::from_millis(20),
        throughput_turns: 2,
        latency_turns: 0,
        noisy: false,
    };

    fn programs(name: &str) -> Layouts {
        Layouts::one(PathBuf::from(name))
    }

    /// The second side does this share of the first, and each process differs a little.
    fn world(share: f64) -> MadeUp {
        MadeUp::new(move |now| {
            let share = if now.program.ends_with("new") { share } else { 1.0 };
            Ok(quiet(now.asked, share * (1e6 + (now.process * 7919 % 101) as f64)))
        })
    }

    fn gathered(world: &MadeUp, budget: Duration) -> (Gathered, Itself) {
        gathered_as(world, budget, &ASKED)
    }

    fn gathered_as(world: &MadeUp, budget: Duration, asked: &Asked) -> (Gathered, Itself) {
        let (sides, prepare) = ([programs("old"), programs("new")], Prepare::default());
        let job = Job { sides: [&sides[0], &sides[1]], prepare: &prepare, asked, budget };
        let judge = Judge::of(1, &[Metric::Throughput]);
        let (mut itself, mut random) = (Itself::default(), fastrand::Rng::with_seed(1));
        let gathered = measure(world, job, &judge, &mut itself, &mut random, &mut |_, _| {});
        (gathered, itself)
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn one_pair_in_five_is_the_first_side_with_itself() {
        let world = world(0.5);
        let (gathered, itself) = gathered(&world, LONG);
        let started = |event| match event {
            Event::Start(_, program, _) => Some(program),
            _ => None,
        };
        let started: Vec<String> = world.events().into_iter().filter_map(started).collect();
        for (number, pair) in started.chunks(2).enumerate() {
            let new = pair.iter().filter(|program| *program == "new").count();
            assert_eq!(new, usize::from((number + 1) % 5 != 0), "pair {number}: {pair:?}");
        }
        let itself = &itself.series[0].log_ratios;
        assert!(itself.len() >= 2 && itself.iter().all(|log| log.abs() < 0.01), "{itself:?}");
        assert!(gathered.series[0].log_ratios.iter().all(|log| (log.exp() - 0.5).abs() < 0.01));
        assert_eq!(gathered.pairs() as usize + itself.len(), started.len() / 2);
    }

    #[test]
    fn it_ends_at_the_first_look_that_is_clear() {
        assert_eq!(gathered(&world(0.5), LONG).0.pairs(), 10);
        assert_eq!(gathered(&world(1.0), LONG).0.pairs(), 10, "the same is clear, too");
    }

    #[test]
    fn what_is_not_clear_at_a_look_goes_on() {
        let world = MadeUp::new(|now| {
            let luck = (now.process * 7919 % 101) as f64 / 101.0;
            Ok(quiet(now.asked, 1e6 * (1.0 + 0.1 * luck)))
        });
        assert!(gathered(&world, LONG).0.pairs() > 10);
    }

    /// Every second slice is disturbed and measured again, so that no pair is missed, and each pair
    /// is as clear as on a quiet host.
    #[test]
    fn no_look_is_clear_on_a_busy_host_unless_somebody_asked_for_noise() {
        let pairs = |noisy| {
            let world = MadeUp::new(|now| {
                let share = if now.program.ends_with("new") { 0.5 } else { 1.0 };
                let slice = if now.slice % 2 == 0 { quiet } else { disturbed };
                Ok(slice(now.asked, share * (1e6 + now.process as f64)))
            });
            let asked = Asked { noisy, ..ASKED };
            let (gathered, _) = gathered_as(&world, Duration::from_secs(20), &asked);
            assert!(gathered.tally.is_busy(), "{:?}", gathered.tally);
            gathered.pairs()
        };
        assert_eq!(pairs(true), 10);
        assert!(pairs(false) > 20, "until the budget is spent");
    }

    #[test]
    fn the_budget_and_an_interrupt_end_it() {
        let second = Duration::from_secs(1);
        let spender = world(0.5);
        let (spent, _) = gathered(&spender, second);
        // A pair is two slices to warm up and four a turn, of 22 ms each.
        assert_eq!(spent.pairs(), 4, "and one with itself");
        assert!(spent.elapsed >= second && spent.elapsed < second * 6 / 5, "{:?}", spent.elapsed);
        // What went before is no part of it.
        assert_eq!(gathered(&spender, second).0.pairs(), 4);
        let world = world(0.5);
        world.interrupt_at.set(second / 2);
        assert_eq!(gathered(&world, LONG).0.pairs(), 3);
    }

    #[test]
    fn a_side_that_fails_against_itself_is_the_first() {
        let world = MadeUp::new(|now| match now.process {
            8 => Err(Failure::Broken("gone".to_owned())),
            _ => Ok(quiet(now.asked, 1e6)),
        });
        let (gathered, _) = gathered(&world, LONG);
        assert_eq!(gathered.failure.unwrap().party, 0);
    }
}
