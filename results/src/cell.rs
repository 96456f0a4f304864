//! What is measured: the coordinates of a cell of the matrix, and its stable name.

use serde::{Deserialize, Serialize};

use crate::own::Own;

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
    /// Numbers of the workload's own, each a field of the line or one of its `parameters`.
    #[serde(flatten)]
    pub own: Own,
    /// The algorithm of the layer's locks, by name; empty: the default, as in lines before this
    /// field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lock: String,
    /// The locks around the layer that were taken too, by name; lines before this field have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambient: Vec<String>,
}

impl Cell {
    /// The stable name of the cell, such as `pairs/per-socket/stream/64B/t2/adaptive`, with
    /// `/r1000` (a rate), `/g2f8` (groups and fan), `/depth=8` (any other number of the workload's
    /// own), `/ticket` (an algorithm) and `/f-mtx+sched-lock` (locks around the layer) behind it
    /// where they apply.
    #[must_use]
    pub fn id(&self) -> String {
        let Cell { workload, backend, socket_type, message_bytes, threads, wait, .. } = self;
        let mut id =
            format!("{workload}/{backend}/{socket_type}/{message_bytes}B/t{threads}/{wait}");
        for part in [self.own.id(), self.lock.clone(), self.ambient.join("+")] {
            if !part.is_empty() {
                id = id + "/" + &part;
            }
        }
        id
    }

    /// The same cell on another backend.
    #[must_use]
    pub fn on(&self, backend: &str) -> Cell {
        Cell { backend: backend.to_owned(), ..self.clone() }
    }

    /// What it has in common with those that differ in the backend alone, which are compared.
    #[must_use]
    pub fn group(&self) -> Cell {
        self.on("")
    }

    /// What it has in common with those that differ in backend and threads alone.
    #[must_use]
    pub fn family(&self) -> Cell {
        Cell { threads: 0, ..self.group() }
    }

    /// What it has in common with those that differ in workload, backend and threads alone.
    #[must_use]
    pub fn setting(&self) -> Cell {
        Cell { workload: String::new(), ..self.family() }
    }

    /// What cells of one setting have in common, such as `stream, 64 B, adaptive`.
    #[must_use]
    pub fn title(&self) -> String {
        let Cell { socket_type, message_bytes, wait, .. } = self;
        format!("{socket_type}, {message_bytes} B, {wait}{}", self.particulars())
    }

    /// What not every cell has, as the end of a title: the workload's own, the algorithm of the
    /// locks, the locks around the layer, such as `, lock ticket, under f-mtx and sched-lock`.
    #[must_use]
    pub fn particulars(&self) -> String {
        let mut text = self.own.words();
        if !self.lock.is_empty() {
            text.push_str(&format!(", lock {}", self.lock));
        }
        match self.ambient.split_last() {
            None => text,
            Some((only, [])) => text + ", under " + only,
            Some((last, others)) => text + &format!(", under {} and {last}", others.join(", ")),
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
    fn an_algorithm_is_part_of_the_name_and_the_default_leaves_it_as_it_was() {
        let with = |lock: &str, around: &[&str]| Cell { lock: lock.to_owned(), ..cell(around) };
        assert_eq!(with("mcs", &[]).id(), "w/b//0B/t0//mcs");
        assert_eq!(with("mcs", &["f-mtx"]).id(), "w/b//0B/t0//mcs/f-mtx");
        assert_eq!(with("mcs", &["f-mtx"]).title(), ", 0 B, , lock mcs, under f-mtx");
        let line = |cell: &Cell| serde_json::to_string(cell).unwrap();
        assert!(!line(&with("", &[])).contains("lock"));
        assert!(line(&with("mcs", &[])).contains(r#""lock":"mcs""#));
        assert_ne!(with("mcs", &[]).group(), with("clh", &[]).group());
        assert_ne!(with("mcs", &[]).setting(), with("", &[]).setting());
    }

    #[test]
    fn a_title_says_what_not_every_cell_has() {
        let title = |cell: &Cell| cell.title();
        assert_eq!(title(&cell(&[])), ", 0 B, ");
        assert_eq!(title(&cell(&["a"])), ", 0 B, , under a");
        assert_eq!(title(&cell(&["a", "b", "c"])), ", 0 B, , under a, b and c");
        let own = Own::from_iter([("rate_asked", 1.5)]);
        let paced = Cell { own, ..cell(&["a"]) };
        assert_eq!(paced.particulars(), ", 1.5 per second and thread, under a");
        assert_eq!(paced.id(), "w/b//0B/t0//r1.5/a");
    }

    #[test]
    fn what_cells_have_in_common_is_a_cell_without_the_rest() {
        let one = Cell { threads: 2, wait: "park".to_owned(), ..cell(&["a"]) };
        let other = Cell { backend: "c".to_owned(), ..one.clone() };
        assert_eq!((one.on("c"), one.group()), (other.clone(), other.group()));
        let more = Cell { threads: 4, ..other.clone() };
        assert_ne!(one.group(), more.group());
        assert_eq!(one.family(), more.family());
        let another = Cell { workload: "v".to_owned(), ..more.clone() };
        assert_ne!(one.family(), another.family());
        assert_eq!(one.setting(), another.setting());
        assert_ne!(one.setting(), Cell { wait: "spin".to_owned(), ..one.clone() }.setting());
    }
}
