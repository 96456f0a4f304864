//! Latencies in a record, by kind of event.

use serde::{Deserialize, Serialize};

/// Latencies by kind of event; a kind that does not occur is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// A send (on `pairs`: by the end with the lower address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Latency>,
    /// A send by the end with the higher address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_higher_address: Option<Latency>,
    /// A receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<Latency>,
    /// From a message sent to its answer received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip: Option<Latency>,
    /// From the planned start of an operation to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Latency>,
    /// From the real start of an operation to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Latency>,
}

impl Latencies {
    /// The names of the kinds, in the order of [`Latencies::iter`].
    pub const NAMES: [&str; 6] =
        ["send", "send_higher_address", "receive", "round_trip", "response", "service"];

    /// Every kind that occurred, with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Latency)> {
        let kinds = [
            &self.send,
            &self.send_higher_address,
            &self.receive,
            &self.round_trip,
            &self.response,
            &self.service,
        ];
        Self::NAMES.into_iter().zip(kinds).filter_map(|(name, kind)| Some((name, kind.as_ref()?)))
    }

    /// The place of a kind, by its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Option<Latency>> {
        match name {
            "send" => Some(&mut self.send),
            "send_higher_address" => Some(&mut self.send_higher_address),
            "receive" => Some(&mut self.receive),
            "round_trip" => Some(&mut self.round_trip),
            "response" => Some(&mut self.response),
            "service" => Some(&mut self.service),
            _ => None,
        }
    }
}

/// The latencies of one kind of event, in nanoseconds; [`crate::histogram::latency`] makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were recorded.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The 99.9th percentile.
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// How many were longer than the histogram's bound, and counted as being at it.
    pub lost_count: u64,
    /// The whole histogram: base64 of HdrHistogram's compressed V2 encoding.
    pub histogram: String,
    /// How many were recorded in all slices, those included that were left out of the histogram
    /// because the host disturbed them; absent where none could be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_all: Option<u64>,
    /// The longest of all slices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_all: Option<u64>,
}
