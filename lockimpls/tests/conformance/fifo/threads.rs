//! Several threads on a fifo: what must hold whatever their order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use lockimpls::{Errno, OpenMode, PIPE_BUF};

use super::Fifos;

const WRITERS: u8 = 4;
const MESSAGES: usize = 300;
/// How often two threads open at once.
const ROUNDS: usize = 300;

/// The length of a writer's message: from 3 bytes to PIPE_BUF.
fn length(writer: u8, index: usize) -> usize {
    3 + (usize::from(writer) * 101 + index * 37) % (PIPE_BUF - 2)
}

/// A message says its writer and its length in its first bytes, and is its writer's to its end.
fn message(writer: u8, index: usize) -> Vec<u8> {
    let length = length(writer, index);
    let mut data = vec![writer; length];
    data[1..3].copy_from_slice(&(length as u16).to_le_bytes());
    data
}

fn read_all<F: Fifos>(file: &F::File<'_>, room: usize) -> Vec<u8> {
    let (mut all, mut data) = (Vec::new(), vec![0; room]);
    loop {
        match F::read(file, &mut data).unwrap() {
            0 => return all,
            count => all.extend(&data[..count]),
        }
    }
}

/// No message of at most PIPE_BUF bytes is cut or mixed with another; a writer's stay in order.
pub(super) fn messages_are_whole<F: Fifos>(fifo: &F) {
    let all = std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            threads.spawn(move || {
                let file = fifo.open(OpenMode::WRITE).unwrap();
                for index in 0..MESSAGES {
                    let data = message(writer, index);
                    assert_eq!(F::write(&file, &data), Ok(data.len()));
                }
                F::close(file);
            });
        }
        // With this one open, no writer that is done early is the last.
        let both = fifo.open(OpenMode::READ | OpenMode::WRITE).unwrap();
        let file = fifo.open(OpenMode::READ).unwrap();
        let whole: usize = (0..WRITERS)
            .flat_map(|writer| (0..MESSAGES).map(move |index| length(writer, index)))
            .sum();
        let mut all = vec![0; whole];
        let mut got = 0;
        while got < whole {
            let end = whole.min(got + 1000);
            got += F::read(&file, &mut all[got..end]).unwrap();
        }
        F::close(both);
        assert!(read_all::<F>(&file, 9).is_empty());
        F::close(file);
        all
    });
    let (mut rest, mut next) = (&all[..], [0; WRITERS as usize]);
    while !rest.is_empty() {
        let writer = rest[0];
        let data = message(writer, next[usize::from(writer)]);
        assert_eq!(rest[..data.len()], data);
        next[usize::from(writer)] += 1;
        rest = &rest[data.len()..];
    }
    assert_eq!(next, [MESSAGES; WRITERS as usize]);
}

/// A reader and a writer open at once and wait for each other, again and again.
pub(super) fn both_sides_meet<F: Fifos>(fifo: &F) {
    // One that fails drops its end, and the other does not wait for it.
    let ((writer, reader), (told, is_told)) = (sync_channel(0), sync_channel(0));
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for _ in 0..ROUNDS {
                writer.send(()).expect("a reader");
                let file = fifo.open(OpenMode::WRITE).unwrap();
                assert_eq!(F::write(&file, b"met"), Ok(3));
                F::close(file);
                is_told.recv().expect("a reader");
            }
        });
        let (reader, told) = (reader, told);
        for _ in 0..ROUNDS {
            reader.recv().expect("a writer");
            let file = fifo.open(OpenMode::READ).unwrap();
            assert_eq!(read_all::<F>(&file, 9), b"met");
            F::close(file);
            told.send(()).expect("a writer");
        }
    });
}

/// Writers that wait, while a reader comes and goes: each is let in, and what it writes arrives,
/// or breaks the pipe, or goes with the fifo when nobody is left.
pub(super) fn a_reader_comes_and_goes<F: Fifos>(fifo: &F) {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let writers = [(); 2].map(|()| {
            threads.spawn(|| {
                for _ in 0..ROUNDS {
                    let file = fifo.open(OpenMode::WRITE).unwrap();
                    let sent = F::write(&file, b"hello");
                    assert!(matches!(sent, Ok(5) | Err(Errno::Epipe)), "{sent:?}");
                    F::close(file);
                }
            })
        });
        threads.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let file = fifo.open(OpenMode::READ | OpenMode::NONBLOCK).unwrap();
                let mut data = [0; 5];
                match F::read(&file, &mut data) {
                    Ok(0) | Err(Errno::Ewouldblock) => {}
                    got => assert_eq!((got, &data), (Ok(5), b"hello")),
                }
                F::close(file);
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
}
