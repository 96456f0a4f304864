//! A machine that is made up: launches, slices, drift and outliers with known spreads, and a second
//! side that is slower by a known share. Fixed seeds, so every run sees the same noise.

use fastrand::Rng;
use results::verdict::{pair, quad};

/// Spreads of the logarithm of a slice's throughput.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// From one process to the next.
    pub(crate) launch: f64,
    /// From one slice of a process to the next.
    pub(crate) slice: f64,
    /// What drifts from slice to slice, whichever side runs.
    pub(crate) drift: f64,
    /// How much of the drift stays from one slice to the next.
    pub(crate) drift_kept: f64,
    /// The share of slices that do half of what they should.
    pub(crate) outliers: f64,
    /// A steady trend from slice to slice of a quad; every quad begins anew.
    pub(crate) trend: f64,
    /// From one link of a program to another, with its functions in another order.
    pub(crate) layout: f64,
}

/// A busy virtual machine.
pub(crate) const BUSY: Machine = Machine {
    launch: 0.04,
    slice: 0.05,
    drift: 0.05,
    drift_kept: 0.9,
    outliers: 0.03,
    trend: 0.0,
    layout: 0.0,
};

/// One with little else to do.
pub(crate) const QUIET: Machine = Machine { launch: 0.015, slice: 0.02, drift: 0.0, ..BUSY };

/// One whose cores are shared with somebody that comes and goes within milliseconds.
pub(crate) const FLICKERING: Machine = Machine { launch: 0.015, slice: 0.12, ..BUSY };

/// In which order the sides' slices run inside a quad.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Order {
    /// ABBA or BAAB, by a coin.
    Coin,
    /// Always AABB.
    Fixed,
}

/// A source of pairs.
pub(crate) struct Source {
    machine: Machine,
    /// ln of what the second side does of the first.
    effect: f64,
    drift: f64,
    rng: Rng,
    links: [Links; 2],
}

/// The layouts of a side: what each is worth, and which of them were not drawn yet.
struct Links {
    worth: Vec<f64>,
    left: Vec<f64>,
}

impl Links {
    fn draw(&mut self, rng: &mut Rng) -> f64 {
        if self.left.is_empty() {
            self.left.clone_from(&self.worth);
            rng.shuffle(&mut self.left);
        }
        self.left.pop().unwrap_or_default()
    }
}

impl Source {
    /// The second side does `ratio` of what the first does.
    pub(crate) fn new(machine: Machine, ratio: f64, seed: u64) -> Source {
        let mut rng = Rng::with_seed(seed);
        let drift = machine.drift * normal(&mut rng);
        let links = [0, 1].map(|_| Links { worth: Vec::new(), left: Vec::new() });
        Source { machine, effect: ratio.ln(), drift, rng, links }
    }

    /// Each side is linked in this many layouts.
    pub(crate) fn with_layouts(mut self, layouts: usize) -> Source {
        let Machine { layout, .. } = self.machine;
        for side in 0..2 {
            self.links[side].worth = (0..layouts).map(|_| self.spread(layout)).collect();
        }
        self
    }

    /// One pair of fresh processes: so many quads, and their median.
    pub(crate) fn pair(&mut self, quads: usize, order: Order) -> f64 {
        let mut launches = [0.0, self.effect].map(|side| side + self.spread(self.machine.launch));
        for (launch, links) in launches.iter_mut().zip(&mut self.links) {
            *launch += links.draw(&mut self.rng);
        }
        let values: Vec<f64> = (0..quads).map(|_| self.quad(launches, order)).collect();
        pair(&values).expect("some quads")
    }

    fn quad(&mut self, launches: [f64; 2], order: Order) -> f64 {
        let sides = match order {
            Order::Fixed => [0, 0, 1, 1],
            Order::Coin if self.rng.bool() => [0, 1, 1, 0],
            Order::Coin => [1, 0, 0, 1],
        };
        let mut slices = [Vec::new(), Vec::new()];
        for (place, side) in sides.into_iter().enumerate() {
            let trend = self.machine.trend * place as f64;
            slices[side].push(self.slice(launches[side] + trend));
        }
        let [a, b] = &slices;
        quad(a[0], b[0], b[1], a[1])
    }

    /// The operations per second of so many slices of a fresh process of the first side.
    pub(crate) fn process(&mut self, slices: usize) -> Vec<f64> {
        let launch = self.spread(self.machine.launch);
        (0..slices).map(|_| self.slice(launch)).collect()
    }

    /// The operations per second of one slice.
    fn slice(&mut self, level: f64) -> f64 {
        let Machine { slice, drift, drift_kept, outliers, .. } = self.machine;
        let fresh = (1.0 - drift_kept * drift_kept).sqrt();
        self.drift = drift_kept * self.drift + fresh * self.spread(drift);
        let half = if self.rng.f64() < outliers { 0.5 } else { 1.0 };
        1e6 * half * (level + self.drift + self.spread(slice)).exp()
    }

    fn spread(&mut self, deviation: f64) -> f64 {
        deviation * normal(&mut self.rng)
    }
}

/// A draw from the standard normal distribution (Box and Muller).
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}
