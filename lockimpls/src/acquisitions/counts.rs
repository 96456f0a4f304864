//! How many locks the main exits take: the table in `GRANULARITIES.md`, counted in the same blocks
//! as that of `ACQUISITIONS.md`. Each backend with lines there has a column.

use std::fmt::Write;
use std::path::Path;

use super::WRITE;
use super::expected::{Block, By, KERNELS, NO_EXIT, Step, blocks};
use crate::domain::SockType;

/// What stands around the table.
const BEGIN: &str = "<!-- acquisitions -->\n";
const END: &str = "<!-- end -->";
/// What the table says of a kernel whose exit was not compared.
const NOT_READ: &str = "?";

/// A row: an exit of a request, for one type of sockets.
struct Exit {
    /// In a reader's words, without the type.
    words: &'static str,
    request: &'static str,
    exit: &'static str,
    kind: SockType,
}

const fn exit(
    words: &'static str,
    request: &'static str,
    exit: &'static str,
    kind: SockType,
) -> Exit {
    Exit { words, request, exit, kind }
}

const EXITS: [Exit; 15] = [
    exit("send", "send", "done", SockType::Stream),
    exit("send", "send", "done", SockType::Dgram),
    exit("send to a name", "sendto", "done", SockType::Dgram),
    exit("receive", "receive", "done", SockType::Stream),
    exit("receive", "receive", "done", SockType::Dgram),
    exit("connect", "connect", "done", SockType::Stream),
    exit("connect", "connect", "done", SockType::Dgram),
    exit("accept", "accept", "done", SockType::Stream),
    exit("shut down for writing", "shutdown", "SHUT_WR", SockType::Stream),
    exit("close, connected", "close", "connected", SockType::Stream),
    exit("close, connected", "close", "connected", SockType::Dgram),
    exit("socketpair", "socketpair", "done", SockType::Stream),
    exit("socketpair", "socketpair", "done", SockType::Dgram),
    exit("send two descriptors", "sendmsg, 2 descriptors", "done", SockType::Stream),
    exit("receive two descriptors", "recvmsg, 2 descriptors", "done", SockType::Stream),
];

/// The backends, each once, in the order of their lines.
fn backends() -> Vec<&'static str> {
    let mut all: Vec<&str> = KERNELS.iter().map(|name| backend(name)).collect();
    all.dedup();
    all
}

/// `per-pair, dgram` is of `per-pair`.
fn backend(kernel: &str) -> &str {
    kernel.split(", ").next().unwrap_or(kernel)
}

/// The place of a backend's line for sockets of a type: one of its own, or that of all others.
fn line(backend: &str, kind: SockType) -> usize {
    let place = |name: &str| KERNELS.iter().position(|it| *it == name);
    let own = place(&format!("{backend}, {}", kind.name()));
    own.or_else(|| place(backend)).expect(backend)
}

/// How many locks the layer takes in an exit's blocks, and the kernel; the block in which the other
/// socket is the higher one comes first.
fn cell(ways: &[&Block], kernel: usize) -> String {
    let layer: Option<Vec<usize>> =
        ways.iter().map(|block| Some(count(block.steps[kernel].as_deref()?, By::Kernel))).collect();
    let Some(layer) = layer else { return NO_EXIT.to_owned() };
    let kernels: Option<Vec<usize>> =
        ways.iter().map(|block| Some(count(block.cited(kernel)?, By::Model))).collect();
    // Where the kernel takes none of them, it has no such exit, or that was not compared.
    let kernels = kernels.filter(|all| layer.contains(&0) || !all.contains(&0));
    let layer = numbers(&layer);
    match kernels.map(|all| numbers(&all)) {
        Some(kernels) if kernels == layer => layer,
        kernels => format!("{layer} / {}", kernels.as_deref().unwrap_or(NOT_READ)),
    }
}

/// How many of these steps are not taken by the other one alone.
fn count(steps: &[Step], other: By) -> usize {
    steps.iter().filter(|step| step.by != other).count()
}

/// `3`; `3 (4)` where the other way is another number.
fn numbers(ways: &[usize]) -> String {
    match ways {
        [first, second] if first != second => format!("{first} ({second})"),
        ways => ways[0].to_string(),
    }
}

/// The table.
fn table(blocks: &[Block]) -> String {
    let backends = backends();
    let names = backends.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" | ");
    let rule = "|---".repeat(2 + backends.len());
    let mut text = format!("| request | sockets | {names} |\n{rule}|\n");
    for exit in &EXITS {
        let is_it = |block: &&Block| block.is(exit.request, exit.exit, exit.kind);
        let ways: Vec<&Block> = blocks.iter().filter(is_it).collect();
        assert!(matches!(ways.len(), 1 | 2), "{}, {}: {}", exit.request, exit.exit, ways.len());
        let cell = |backend: &&str| cell(&ways, line(backend, exit.kind));
        let cells = backends.iter().map(cell).collect::<Vec<_>>().join(" | ");
        writeln!(text, "| {} | {} | {cells} |", exit.words, exit.kind.name()).unwrap();
    }
    text
}

/// The text with this table in the place of its own.
fn with(text: &str, table: &str) -> String {
    let (before, rest) = text.split_once(BEGIN).expect("a place for the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    format!("{before}{BEGIN}{table}{END}{after}")
}

#[test]
fn the_counts_are_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("GRANULARITIES.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let text = with(&written, &table(&blocks()));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, text).unwrap();
    } else {
        assert!(written == text, "{}: out of date; {WRITE}=1 writes it anew", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::super::expected::parse;
    use super::*;
    use crate::backend::{Visitor, visit_all};
    use crate::domain::Fd;
    use crate::uipc::fifo::Fifofs;

    /// The names of all backends.
    #[derive(Default)]
    struct Names(Vec<&'static str>);

    impl Visitor for Names {
        fn visit<D: Fifofs<Sock = Fd> + crate::ambient::Variants>(&mut self) {
            self.0.push(D::NAME);
        }
    }

    #[test]
    fn every_backend_with_locks_of_its_own_has_a_column() {
        let mut names = Names::default();
        visit_all(&mut names);
        // The first takes the locks of `per-socket` where it takes any, the second's are not seen.
        names.0.retain(|name| !["lock-free", "host"].contains(name));
        let mut columns = backends();
        names.0.sort_unstable();
        columns.sort_unstable();
        assert_eq!(columns, names.0);
    }

    #[test]
    fn a_cell_counts_what_either_takes() {
        let blocks = parse(
            "= send | stream | done | lower | ok\n\
             per-socket: so a:1, peer a:2\n\
             global: unp a:1, -gc a:2, +df\n\
             per-pair: +pair\n\
             = send | stream | done | higher | ok\n\
             per-socket: so a:1, peer a:3, so a:4\n\
             global: unp a:1, -gc a:2\n\
             per-pair: +pair\n",
        );
        let ways: Vec<&Block> = blocks.iter().collect();
        let of = |backend| cell(&ways, line(backend, SockType::Stream));
        assert_eq!(of("per-socket"), "2 (3)");
        assert_eq!(of("global"), "2 (1) / 2");
        assert_eq!(of("per-socket-wait"), "2 (3) / ?");
        assert_eq!(of("per-pair"), "1 / ?");
        assert_eq!(of("per-buffer"), NO_EXIT);
        assert_eq!(of("state-queue"), NO_EXIT);
    }

    #[test]
    fn a_type_has_its_own_line_where_there_is_one() {
        let name = |backend, kind| KERNELS[line(backend, kind)];
        assert_eq!(name("per-pair", SockType::Dgram), "per-pair, dgram");
        assert_eq!(name("per-pair", SockType::Stream), "per-pair");
        assert_eq!(name("state-queue", SockType::Stream), "state-queue, stream");
        assert_eq!(name("global", SockType::Dgram), "global");
    }

    #[test]
    fn a_number_that_changed_is_seen() {
        let old = format!("a\n{BEGIN}| 3 |\n{END}\nb\n");
        assert_ne!(with(&old, "| 4 |\n"), old);
        assert_eq!(with(&old, "| 3 |\n"), old);
    }
}
