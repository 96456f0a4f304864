//! `expected.txt`: reading it, and the table made of it.

use std::fmt::Write;

use super::rows::Row;
use crate::domain::SockType;
use crate::policy::Policy;

/// The kernels, by the backend that is modelled on each.
pub(super) const KERNELS: [&str; 3] = ["per-socket", "global-gc", "global"];

/// One exit of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    request: String,
    kinds: String,
    exit: String,
    way: String,
    answer: String,
    /// By kernel: the locks, each with the file and line that takes it.
    steps: [Vec<(String, String)>; 3],
}

impl Block {
    /// What a backend did.
    pub(super) fn observed<P: Policy>(
        row: &Row<P>,
        way: &str,
        answer: &str,
        backend: &str,
        steps: &[&str],
    ) -> Block {
        let mut block = Block {
            request: row.request.to_owned(),
            kinds: kinds_of(row.kinds),
            exit: row.exit.to_owned(),
            way: way.to_owned(),
            answer: answer.to_owned(),
            ..Block::default()
        };
        let kernel = KERNELS.iter().position(|name| *name == backend).unwrap_or(0);
        block.steps[kernel] =
            steps.iter().map(|step| ((*step).to_owned(), String::new())).collect();
        block
    }

    pub(super) fn key(&self) -> (&str, &str, &str, &str) {
        (&self.request, &self.kinds, &self.exit, &self.way)
    }

    /// Whether what was seen is what this kernel does, with what the block says the model adds.
    pub(super) fn agrees(&self, kernel: usize, seen: &Block) -> bool {
        let locks = |block: &Block| -> Vec<String> {
            let locks = block.steps[kernel].iter();
            locks.map(|(lock, _)| lock.trim_start_matches('+').to_owned()).collect()
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
fn read(name: &str) -> String {
    let path = super::folder().join("acquisitions").join(name);
    std::fs::read_to_string(path).expect(name)
}

/// Every block of the file.
pub(super) fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let text = read("expected.txt");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix("= ") {
            let [request, kinds, exit, way, answer] = head
                .split('|')
                .map(|word| word.trim().to_owned())
                .collect::<Vec<_>>()
                .try_into()
                .expect(line);
            blocks.push(Block { request, kinds, exit, way, answer, steps: Default::default() });
        } else {
            let (kernel, steps) = line.split_once(':').expect(line);
            let kernel = KERNELS.iter().position(|name| *name == kernel.trim()).expect(line);
            let steps = steps.split(',').map(str::trim).filter(|step| !step.is_empty());
            blocks.last_mut().expect("a block").steps[kernel] = steps
                .map(|step| step.split_once(' ').unwrap_or((step, "")))
                .map(|(lock, at)| (lock.to_owned(), at.to_owned()))
                .collect();
        }
    }
    blocks
}

/// A block as the file has it.
pub(super) fn write_block(block: &Block) -> String {
    let Block { request, kinds, exit, way, answer, steps } = block;
    let mut text = format!("= {request} | {kinds} | {exit} | {way} | {answer}\n");
    for (kernel, steps) in KERNELS.iter().zip(steps) {
        let steps: Vec<String> = steps.iter().map(|(lock, at)| format!("{lock} {at}")).collect();
        writeln!(text, "{kernel}: {}", steps.join(", ")).unwrap();
    }
    text
}

/// The table for readers.
pub(super) fn markdown(blocks: &[Block]) -> String {
    let mut text = read("head.md");
    let mut request = "";
    for block in blocks {
        if block.request != request {
            request = &block.request;
            write!(
                text,
                "\n## {request}\n\n| exit | types | `so` is | answer | `per-socket` | `global-gc` | \
                 `global` |\n|---|---|---|---|---|---|---|\n"
            )
            .unwrap();
        }
        let Block { kinds, exit, way, answer, steps, .. } = block;
        let cells = steps.each_ref().map(|steps| {
            let steps: Vec<String> = steps
                .iter()
                .map(|(lock, at)| format!("{lock} {at}").trim_end().to_owned())
                .collect();
            if steps.is_empty() {
                "none".to_owned()
            } else {
                format!("{}: {}", steps.len(), steps.join(", "))
            }
        });
        writeln!(text, "| {exit} | {kinds} | {way} | {answer} | {} |", cells.join(" | ")).unwrap();
    }
    text
}
