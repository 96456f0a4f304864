//! A workload's sockets without its type, so that a slice is compiled once for all workloads.

use std::sync::Barrier;

use lockimpls::{Errno, Layer};
use results::Measure;
use workloads::{LaneSums, Plan, Workload};

use super::{Start, run_lane};
#[cfg(feature = "variants")]
use crate::meter::ProfileMeter;
use crate::meter::{Lane, LatencyMeter, ThroughputMeter};

/// Which meter a lane has.
#[derive(Clone, Copy)]
pub(crate) enum With {
    /// One that counts, or one that takes stamps.
    Meter(Measure),
    /// The one beside which locks keep a profile.
    #[cfg(feature = "variants")]
    Profile,
}

/// [`Workload`], of any type.
pub(crate) trait Opened: Sync {
    /// [`run_lane`], which is a function for each type and meter.
    fn lane(&self, start: Start<'_>, with: With, lane: &OneLane<'_>) -> (Lane, LaneSums);
    /// [`Workload::counts`].
    fn counts(&self, lane: usize) -> bool;
    /// [`Workload::finish`].
    fn finish(self: Box<Self>, layer: &dyn Layer, sums: &[LaneSums]);
}

/// One lane: its layer, its number, and the barrier before its first operation.
pub(crate) struct OneLane<'a> {
    pub(super) layer: &'a dyn Layer,
    pub(super) number: usize,
    pub(super) ready: &'a Barrier,
}

/// Opens a workload's sockets.
pub(crate) type Open = fn(&dyn Layer, &Plan) -> Result<Box<dyn Opened>, Errno>;

/// [`Open`] for this workload.
pub(crate) fn open<W: Workload + 'static>(
    layer: &dyn Layer,
    plan: &Plan,
) -> Result<Box<dyn Opened>, Errno> {
    Ok(Box::new(Of(W::new(layer, plan)?)))
}

struct Of<W>(W);

impl<W: Workload> Opened for Of<W> {
    fn lane(&self, start: Start<'_>, with: With, lane: &OneLane<'_>) -> (Lane, LaneSums) {
        let OneLane { layer, number, ready } = *lane;
        match with {
            With::Meter(Measure::Throughput) => {
                run_lane::<W, ThroughputMeter<'_>>(start, layer, &self.0, number, ready)
            }
            With::Meter(Measure::Latency) => {
                run_lane::<W, LatencyMeter<'_>>(start, layer, &self.0, number, ready)
            }
            #[cfg(feature = "variants")]
            With::Profile => run_lane::<W, ProfileMeter<'_>>(start, layer, &self.0, number, ready),
        }
    }

    fn counts(&self, lane: usize) -> bool {
        self.0.counts(lane)
    }

    fn finish(self: Box<Self>, layer: &dyn Layer, sums: &[LaneSums]) {
        self.0.finish(layer, sums);
    }
}
