//! The machine as what a run asks for: processes, time, and its CPUs.

use std::time::{Duration, Instant};

use results::TwoCpus;

use super::launch::{Party, Serving, World};
use super::server::{Failure, Launch, Server};
use crate::cpus::Cpus;
use crate::interrupt::Interrupt;
use crate::neighbours;

/// The machine: processes that are started on it, and its time.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Ctrl-C.
    interrupt: Interrupt,
    hang_limit: Option<Duration>,
    began: Instant,
}

impl Machine {
    /// Its time begins now.
    #[must_use]
    pub fn new(interrupt: &Interrupt) -> Machine {
        Machine { interrupt: interrupt.clone(), hang_limit: None, began: Instant::now() }
    }

    /// Its time began before.
    #[must_use]
    pub fn since(self, began: Instant) -> Machine {
        Machine { began, ..self }
    }

    /// Its processes call it a hang when nothing moves for so long; only for programs that are no
    /// older than this one.
    #[must_use]
    pub fn with_hang_limit(self, limit: Duration) -> Machine {
        Machine { hang_limit: Some(limit), ..self }
    }
}

impl World for Machine {
    fn start(&self, party: Party<'_>, padding: usize) -> Result<Box<dyn Serving>, Failure> {
        let Machine { interrupt, hang_limit, .. } = self;
        let launch = Launch { program: party.program, padding, interrupt, hang_limit: *hang_limit };
        let mut server = Server::start(launch)?;
        server.prepared = server.prepare(party.prepare)?.map_err(Failure::Broken)?;
        Ok(Box::new(server))
    }

    fn two_cpus(&self, cpus: &Cpus) -> Option<TwoCpus> {
        neighbours::measure(cpus)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_time_and_its_limit_are_what_it_is_told() {
        let (interrupt, minute) = (Interrupt::default(), Duration::from_secs(60));
        let machine = Machine::new(&interrupt);
        assert!(machine.elapsed() < minute && machine.hang_limit.is_none());
        let began = machine.began.checked_sub(minute).expect("the machine runs for longer");
        let earlier = machine.clone().since(began);
        assert!(earlier.elapsed() >= minute);
        assert_eq!(machine.clone().with_hang_limit(minute).hang_limit, Some(minute));
        assert!(!machine.is_interrupted() && !earlier.is_interrupted());
    }

    /// A machine that is busy now may keep threads from their CPUs: then nobody sees anything.
    #[test]
    fn it_looks_at_its_first_two_cpus() {
        let cpus = Cpus::allowed().expect("some");
        let machine = Machine::new(&Interrupt::default());
        let [first, second, ..] = *cpus.order() else {
            assert_eq!(machine.two_cpus(&cpus), None);
            return;
        };
        let looks = (0..50).map(|_| (neighbours::measure(&cpus), machine.two_cpus(&cpus)));
        let (others, own): (Vec<_>, Vec<_>) = looks.unzip();
        let own: Vec<TwoCpus> = own.into_iter().flatten().collect();
        assert!(!own.is_empty() || others.into_iter().flatten().count() < 10);
        for seen in own {
            assert_eq!(seen.cpus, [first as u32, second as u32]);
            assert!(seen.at_once_share > 0.0, "{seen:?}");
        }
    }
}
