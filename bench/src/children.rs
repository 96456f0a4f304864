//! Processes that this one started: what they write is read within bounds, whatever they are, and
//! they are ended with all that they started.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The longest line of a process that measures or finds: its histograms are far shorter.
pub const LINE_BYTES_MAX: usize = 16 << 20;
/// How much of a line that is only shown is kept.
const SHOWN_BYTES_MAX: usize = 4096;
/// How many lines wait to be taken: a process that writes on and on waits, too.
const LINES_WAITING_MAX: usize = 64;

/// Why a line was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The lines of a pipe, read by a thread so that waiting for them can end. After one that is too
/// long there are no more.
pub fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<Result<String, TooLong>> {
    let (sender, receiver) = sync_channel(LINES_WAITING_MAX);
    if let Some(pipe) = pipe {
        thread::spawn(move || send_lines(pipe, LINE_BYTES_MAX, &sender));
    }
    receiver
}

fn send_lines(pipe: impl Read, limit: usize, sender: &SyncSender<Result<String, TooLong>>) {
    let mut pipe = BufReader::new(pipe);
    while let Some((line, whole)) = next(&mut pipe, limit) {
        let line = if whole { Ok(line) } else { Err(TooLong) };
        if sender.send(line).is_err() || !whole {
            return;
        }
    }
}

/// The last lines of a pipe, in one text, when it has ended.
pub fn last_lines(
    pipe: Option<impl Read + Send + 'static>,
    count: usize,
) -> Option<Receiver<String>> {
    let pipe = pipe?;
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let (mut pipe, mut last) = (BufReader::new(pipe), VecDeque::new());
        while let Some((line, whole)) = next(&mut pipe, SHOWN_BYTES_MAX) {
            if !whole && !skip_line(&mut pipe) {
                break;
            }
            if last.len() == count {
                last.pop_front();
            }
            last.push_back(line);
        }
        // Nobody waits for it any more, perhaps.
        let _ = sender.send(Vec::from(last).join("\n"));
    });
    Some(receiver)
}

/// The next line, and whether it is whole: the beginning of one that is longer than the limit.
fn next(pipe: &mut impl BufRead, limit: usize) -> Option<(String, bool)> {
    let mut line = Vec::new();
    let read = pipe.by_ref().take(limit as u64).read_until(b'\n', &mut line);
    if !read.is_ok_and(|bytes| bytes > 0) {
        return None;
    }
    let whole = line.last() == Some(&b'\n') || line.len() < limit;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Some((String::from_utf8_lossy(&line).into_owned(), whole))
}

/// Reads to the end of a line and keeps nothing of it; whether there can be more.
fn skip_line(pipe: &mut impl BufRead) -> bool {
    loop {
        let Ok(bytes) = pipe.fill_buf() else { return false };
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (used, found) = end.map_or((bytes.len(), false), |at| (at + 1, true));
        pipe.consume(used);
        if found || used == 0 {
            return found;
        }
    }
}

/// Sends a signal to a group of processes, by the number of its first one.
pub fn signal_group(group: u32, signal: Signal) {
    if let Some(group) = group_of(group) {
        // It may be gone.
        let _ = kill_process_group(group, signal);
    }
}

/// Whether any process of that group is there.
#[must_use]
pub fn is_group_there(group: u32) -> bool {
    group_of(group).is_some_and(|group| test_kill_process_group(group).is_ok())
}

fn group_of(group: u32) -> Option<Pid> {
    // 1 would be every process there is.
    Pid::from_raw(group.cast_signed()).filter(|group| !group.is_init())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, limit: usize) -> Vec<Result<String, TooLong>> {
        let (sender, receiver) = sync_channel(LINES_WAITING_MAX);
        send_lines(text.as_bytes(), limit, &sender);
        drop(sender);
        receiver.iter().collect()
    }

    #[test]
    fn a_line_that_is_too_long_is_the_last() {
        let line = |text: &str| Ok(text.to_owned());
        assert_eq!(read("a\nbc\n\nd", 9), [line("a"), line("bc"), line(""), line("d")]);
        assert_eq!(read("abc\nlonger\nd\n", 4), [line("abc"), Err(TooLong)]);
        assert_eq!(read("", 4), []);
    }

    #[test]
    fn of_a_line_that_is_shown_the_beginning_is_kept() {
        let text = format!("first\n{}\nlast\n", "x".repeat(100_000));
        let last = last_lines(Some(std::io::Cursor::new(text)), 2).expect("a pipe");
        let said = last.recv().expect("ended");
        assert_eq!(said, format!("{}\nlast", "x".repeat(SHOWN_BYTES_MAX)));
    }
}
