//! What is measured: the coordinates of a cell of the matrix, and its stable name.

use serde::{Deserialize, Serialize};

/// What is measured: the coordinates of a cell of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The locking measured, by name.
    pub backend: String,
    /// What the threads did, by name.
    pub workload: String,
    /// `stream`, `dgram` or `seqpacket`.
    pub socket_type: String,
    /// The length of each message.
    pub message_bytes: u64,
    /// How many threads ran at once.
    pub threads: u32,
    /// The wait strategy: `spin`, `adaptive` or `park`.
    pub wait: String,
    /// `paced`: operations per second and thread that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_asked: Option<f64>,
    /// `groups`: how many groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u32>,
    /// `groups`: how many senders and how many receivers each group has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan: Option<u32>,
}

impl Cell {
    /// The stable name of the cell, such as `pairs/per-socket/stream/64B/t2/adaptive`, with
    /// `/r1000` (a rate) and `/g2f8` (groups and fan) behind it where they apply.
    #[must_use]
    pub fn id(&self) -> String {
        let Cell { workload, backend, socket_type, message_bytes, threads, wait, .. } = self;
        let mut id =
            format!("{workload}/{backend}/{socket_type}/{message_bytes}B/t{threads}/{wait}");
        if let Some(rate) = self.rate_asked {
            id.push_str(&format!("/r{rate}"));
        }
        if let (Some(groups), Some(fan)) = (self.groups, self.fan) {
            id.push_str(&format!("/g{groups}f{fan}"));
        }
        id
    }
}
