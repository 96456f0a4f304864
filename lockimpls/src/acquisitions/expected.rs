//! `expected.txt`: reading it, and the table made of it.

use std::fmt::Write;

use super::rows::Row;
use crate::domain::SockType;
use crate::policy::Policy;

/// The kernels, by the backend that is modelled on each.
pub(super) const KERNELS: [&str; 18] = [
    "per-socket",
    "global-gc",
    "global",
    "per-buffer",
    "per-socket-wait",
    "per-pair",
    "per-pair, dgram",
    "state-queue, stream",
    "state-queue, seqpacket",
    "state-queue, dgram",
    "shared-link",
    "shared-link, dgram",
    "per-socket-try",
    "receive-buffer",
    "receive-buffer, dgram",
    "endpoint-queue, stream",
    "endpoint-queue, seqpacket",
    "endpoint-queue, dgram",
];

/// The kernel whose partings wait for relocks.
pub(super) const WAITS: usize = 4;

/// The kernel whose datagram sockets have another lock, and stand in lines of their own after it.
pub(super) const BY_PAIR: usize = 5;
pub(super) const BY_PAIR_DGRAM: usize = BY_PAIR + 1;

/// The kernel where each type has lines of its own: streams, then the others.
pub(super) const BY_QUEUE: usize = BY_PAIR_DGRAM + 1;
pub(super) const BY_QUEUE_SEQPACKET: usize = BY_QUEUE + 1;
pub(super) const BY_QUEUE_DGRAM: usize = BY_QUEUE + 2;

/// The kernel with a lock for all links: as `BY_PAIR`.
pub(super) const BY_LINK: usize = BY_QUEUE_DGRAM + 1;
pub(super) const BY_LINK_DGRAM: usize = BY_LINK + 1;

/// The kernel that tries the peer before it keeps the order, and whose connects wait for relocks.
pub(super) const TRIES: usize = BY_LINK_DGRAM + 1;

/// The kernel whose senders hold their peer's receive buffer alone: as `BY_PAIR`.
pub(super) const BY_PIN: usize = TRIES + 1;
pub(super) const BY_PIN_DGRAM: usize = BY_PIN + 1;

/// The kernel that locks two sockets in the order of their numbers: as `BY_QUEUE`.
pub(super) const BY_NUMBER: usize = BY_PIN_DGRAM + 1;
pub(super) const BY_NUMBER_SEQPACKET: usize = BY_NUMBER + 1;
pub(super) const BY_NUMBER_DGRAM: usize = BY_NUMBER + 2;

/// The kernels of which only the way between two sockets is modelled, each with the kernel whose
/// layer the rest is: where a block has no line of the first, its model locks as the other one's.
const AS: [(usize, usize); 2] = [(WAITS, 0), (TRIES, 0)];

/// The line of a block that such a model does not come to.
pub(super) const NO_EXIT: &str = "no such exit";

/// Which of the two takes a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Both,
    /// `+`: the model alone.
    Model,
    /// `-`: the kernel alone.
    Kernel,
}

/// One lock taken.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) by: By,
    pub(super) lock: String,
    /// The kernel's file and line: none of what the model takes alone.
    pub(super) at: Option<(String, usize)>,
}

impl Step {
    /// `LOCK FILE:LINE`, `-LOCK FILE:LINE`, `+LOCK`.
    pub(super) fn parse(text: &str) -> Result<Step, String> {
        let (by, rest) = match text.split_at(1) {
            ("+", rest) => (By::Model, rest),
            ("-", rest) => (By::Kernel, rest),
            _ => (By::Both, text),
        };
        let (lock, at) = match rest.split_once(' ') {
            None => (rest, None),
            Some((lock, at)) => {
                let (file, line) = at.split_once(':').ok_or(format!("{text}: no FILE:LINE"))?;
                let line = line.parse().map_err(|_| format!("{text}: {line} is no line"))?;
                (lock, Some((file.to_owned(), line)))
            }
        };
        if at.is_some() == (by == By::Model) {
            return Err(format!("{text}: the kernel's steps have a line, and no others"));
        }
        Ok(Step { by, lock: lock.to_owned(), at })
    }

    fn shown(&self) -> String {
        let sign = match self.by {
            By::Both => "",
            By::Model => "+",
            By::Kernel => "-",
        };
        let at = self.at.iter().map(|(file, line)| format!(" {file}:{line}"));
        format!("{sign}{}{}", self.lock, at.collect::<String>())
    }
}

/// One exit of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    request: String,
    kinds: String,
    exit: String,
    way: String,
    answer: String,
    /// By kernel: the locks; none where the kernel has no such exit.
    pub(super) steps: [Option<Vec<Step>>; KERNELS.len()],
    /// By kernel: the backend whose locks these are, where it is another one.
    as_on: [Option<&'static str>; KERNELS.len()],
    /// By kernel: whether the block says that there is no such exit.
    has_no_exit: [bool; KERNELS.len()],
}

impl Block {
    /// What a backend did.
    pub(super) fn observed<P: Policy>(
        row: &Row<P>,
        way: &str,
        answer: &str,
        kernel: usize,
        steps: &[String],
    ) -> Block {
        let mut block = Block {
            request: row.request.to_owned(),
            kinds: kinds_of(row.kinds),
            exit: row.exit.to_owned(),
            way: way.to_owned(),
            answer: answer.to_owned(),
            ..Block::default()
        };
        let seen = |lock: &String| Step { by: By::Both, lock: lock.clone(), at: None };
        block.steps[kernel] = Some(steps.iter().map(seen).collect());
        block
    }

    /// The steps whose lines are of this kernel.
    pub(super) fn cited(&self, kernel: usize) -> Option<&[Step]> {
        if self.as_on[kernel].is_some() { None } else { self.steps[kernel].as_deref() }
    }

    /// Takes from other backends what the block does not say of those that are like them.
    fn fill(&mut self) {
        for (kernel, like) in AS {
            let is_said = self.steps[kernel].is_some() || self.has_no_exit[kernel];
            if !is_said && self.steps[like].is_some() {
                self.steps[kernel] = self.steps[like].clone();
                self.as_on[kernel] = Some(KERNELS[like]);
            }
        }
    }

    /// Whether it is of that exit, for sockets of this type among others.
    pub(super) fn is(&self, request: &str, exit: &str, kind: SockType) -> bool {
        let of_kind = self.kinds == "any" || self.kinds.split(' ').any(|name| name == kind.name());
        of_kind && self.request == request && self.exit == exit
    }

    pub(super) fn key(&self) -> (&str, &str, &str, &str) {
        (&self.request, &self.kinds, &self.exit, &self.way)
    }

    /// Whether what was seen is what the block says that the model does.
    pub(super) fn agrees(&self, kernel: usize, seen: &Block) -> bool {
        let locks = |block: &Block| -> Option<Vec<String>> {
            let steps = block.steps[kernel].as_ref()?.iter();
            Some(steps.filter(|it| it.by != By::Kernel).map(|it| it.lock.clone()).collect())
        };
        self.answer == seen.answer && locks(self) == locks(seen)
    }
}

/// `stream seqpacket`, or `any`.
fn kinds_of(kinds: &[SockType]) -> String {
    if kinds == SockType::ALL {
        return "any".to_owned();
    }
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ")
}

/// A file of this folder.
pub(super) fn read(name: &str) -> String {
    let path = super::folder().join("acquisitions").join(name);
    std::fs::read_to_string(path).expect(name)
}

/// Every block of the file.
pub(super) fn blocks() -> Vec<Block> {
    parse(&read("expected.txt"))
}

/// Every block of a text like that.
pub(super) fn parse(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("= ") {
            let [request, kinds, exit, way, answer] = head
                .split('|')
                .map(|word| word.trim().to_owned())
                .collect::<Vec<_>>()
                .try_into()
                .expect(line);
            blocks.push(Block { request, kinds, exit, way, answer, ..Block::default() });
        } else {
            let (kernel, steps) = line.split_once(':').expect(line);
            let kernel = KERNELS.iter().position(|name| *name == kernel.trim()).expect(line);
            let block = blocks.last_mut().expect("a block");
            if steps.trim() == NO_EXIT {
                block.has_no_exit[kernel] = true;
                continue;
            }
            let steps = steps.split(',').map(str::trim).filter(|step| !step.is_empty());
            let steps: Result<_, _> = steps.map(Step::parse).collect();
            let steps = steps.unwrap_or_else(|error| panic!("expected.txt: {error}"));
            block.steps[kernel] = Some(steps);
        }
    }
    blocks.iter_mut().for_each(Block::fill);
    blocks
}

/// Locks between commas.
fn list(steps: &[Step]) -> String {
    steps.iter().map(Step::shown).collect::<Vec<_>>().join(", ")
}

/// A block as the file has it.
pub(super) fn write_block(block: &Block) -> String {
    let Block { request, kinds, exit, way, answer, steps, .. } = block;
    let mut text = format!("= {request} | {kinds} | {exit} | {way} | {answer}\n");
    for (kernel, steps) in KERNELS.iter().zip(steps) {
        if let Some(steps) = steps {
            writeln!(text, "{kernel}: {}", list(steps)).unwrap();
        }
    }
    text
}

/// The locks in a cell of the table, with how many of them the kernel takes.
fn cell(block: &Block, kernel: usize) -> String {
    if let Some(of) = block.as_on[kernel] {
        return format!("as `{of}`");
    }
    match block.steps[kernel].as_deref() {
        None => NO_EXIT.to_owned(),
        Some([]) => "none".to_owned(),
        Some(steps) => {
            let kernels = steps.iter().filter(|step| step.by != By::Model).count();
            format!("{kernels}: {}", list(steps))
        }
    }
}

/// The table for readers.
pub(super) fn markdown(blocks: &[Block]) -> String {
    let mut text = read("head.md");
    let mut request = "";
    for block in blocks {
        if block.request != request {
            request = &block.request;
            let kernels = KERNELS.map(|kernel| format!("`{kernel}`")).join(" | ");
            let rule = "|---".repeat(4 + KERNELS.len());
            write!(
                text,
                "\n## {request}\n\n| exit | types | `so` is | answer | {kernels} |\n{rule}|\n"
            )
            .unwrap();
        }
        let Block { kinds, exit, way, answer, .. } = block;
        let cells: Vec<String> = (0..KERNELS.len()).map(|kernel| cell(block, kernel)).collect();
        writeln!(text, "| {exit} | {kinds} | {way} | {answer} | {} |", cells.join(" | ")).unwrap();
    }
    text
}

#[test]
fn a_step_of_the_kernel_has_a_line() {
    for (text, shown) in
        [("so socket:590", None), ("-so socket:368", None), ("+so", None)].into_iter().chain([
            ("so", Some("the kernel's steps have a line")),
            ("-so", Some("the kernel's steps have a line")),
            ("+so socket:590", Some("the kernel's steps have a line")),
            ("so socket", Some("no FILE:LINE")),
            ("so socket:", Some("is no line")),
        ])
    {
        let step = Step::parse(text);
        match shown {
            None => assert_eq!(step.unwrap().shown(), text),
            Some(words) => assert!(step.unwrap_err().contains(words), "{text}"),
        }
    }
}
