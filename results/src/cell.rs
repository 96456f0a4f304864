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
    /// The locks around the layer that were taken too, by name; lines before this field have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambient: Vec<String>,
}

impl Cell {
    /// The stable name of the cell, such as `pairs/per-socket/stream/64B/t2/adaptive`, with
    /// `/r1000` (a rate), `/g2f8` (groups and fan) and `/f-mtx+sched-lock` (locks around the layer)
    /// behind it where they apply.
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
        if !self.ambient.is_empty() {
            id.push_str(&format!("/{}", self.ambient.join("+")));
        }
        id
    }

    /// The locks around the layer as the end of a title, such as `, under f-mtx and sched-lock`.
    #[must_use]
    pub fn surroundings(&self) -> String {
        match self.ambient.split_last() {
            None => String::new(),
            Some((only, [])) => format!(", under {only}"),
            Some((last, others)) => format!(", under {} and {last}", others.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(ambient: &[&str]) -> Cell {
        let ambient = ambient.iter().map(|name| (*name).to_owned()).collect();
        Cell { backend: "b".to_owned(), workload: "w".to_owned(), ambient, ..Cell::default() }
    }

    #[test]
    fn locks_around_the_layer_are_part_of_the_name_and_none_leave_it_as_it_was() {
        assert_eq!(cell(&[]).id(), "w/b//0B/t0/");
        assert_eq!(cell(&["f-mtx"]).id(), "w/b//0B/t0//f-mtx");
        assert_eq!(cell(&["f-mtx", "sched-lock"]).id(), "w/b//0B/t0//f-mtx+sched-lock");
        let line = |cell: &Cell| serde_json::to_string(cell).unwrap();
        assert!(!line(&cell(&[])).contains("ambient"));
        assert!(line(&cell(&["f-mtx"])).contains(r#""ambient":["f-mtx"]"#));
        assert_eq!(serde_json::from_str::<Cell>(&line(&cell(&[]))).unwrap(), cell(&[]));
    }

    #[test]
    fn a_title_lists_them() {
        assert_eq!(cell(&[]).surroundings(), "");
        assert_eq!(cell(&["a"]).surroundings(), ", under a");
        assert_eq!(cell(&["a", "b", "c"]).surroundings(), ", under a, b and c");
    }
}
