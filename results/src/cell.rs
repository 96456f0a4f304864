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

    /// What not every cell has, as the end of a title: the workload's own, the locks around the
    /// layer, such as `, under f-mtx and sched-lock`.
    #[must_use]
    pub fn particulars(&self) -> String {
        let mut text = String::new();
        if let Some(rate) = self.rate_asked {
            text.push_str(&format!(", {rate} per second and thread"));
        }
        if let (Some(groups), Some(fan)) = (self.groups, self.fan) {
            let many = if groups == 1 { "" } else { "s" };
            text.push_str(&format!(", {groups} group{many} of {fan} + {fan}"));
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
    fn a_title_says_what_not_every_cell_has() {
        let title = |cell: &Cell| cell.title();
        assert_eq!(title(&cell(&[])), ", 0 B, ");
        assert_eq!(title(&cell(&["a"])), ", 0 B, , under a");
        assert_eq!(title(&cell(&["a", "b", "c"])), ", 0 B, , under a, b and c");
        let paced = Cell { rate_asked: Some(1.5), ..cell(&["a"]) };
        assert_eq!(paced.particulars(), ", 1.5 per second and thread, under a");
        let groups = |groups| Cell { groups: Some(groups), fan: Some(8), ..cell(&[]) };
        assert_eq!(groups(1).particulars(), ", 1 group of 8 + 8");
        assert_eq!(groups(2).particulars(), ", 2 groups of 8 + 8");
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
