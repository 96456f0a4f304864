//! Programs: the text form, the generator, and that the backends do what the model says.

use std::path::Path;

use lockimpls::Backend;
use programs::check::Bench;
use programs::generate::generate;
use programs::runner::{Target, Trace};
use programs::{Call, Model, Program, Runner, allowed, minimize, parse};

/// How many programs each seed of the fixed-seed fuzz draws.
const PROGRAMS: u64 = 8_000;

/// A runner of every backend.
fn backends() -> Vec<Box<dyn Target>> {
    let runner = |backend| -> Box<dyn Target> { Box::new(Runner::new(backend).unwrap()) };
    lockimpls::backends().into_iter().map(runner).collect()
}

#[test]
fn what_is_generated_can_be_printed_and_read() {
    for number in 0..3000 {
        let program = generate(7, number);
        let text = program.to_string();
        assert_eq!(parse(&text).as_ref(), Ok(&program), "{text}");
    }
}

#[test]
fn comments_and_blanks_mean_nothing() {
    let text = "# a comment\n\n  r0, r1 = socketpair(stream)  # another\nsend( r0 , \"a # b\" )\n";
    let program = parse(text).unwrap();
    assert_eq!(program.to_string(), "r0, r1 = socketpair(stream)\nsend(r0, \"a # b\")\n");
}

/// A text that is no program: the line, and words that the message must have.
#[track_caller]
fn refused(text: &str, line: usize, words: &[&str]) {
    let error = parse(text).unwrap_err();
    assert_eq!(error.line, line, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is missing: {error}");
    }
}

#[test]
fn what_is_no_program_is_refused_with_the_line_and_what_is_valid() {
    let pair = "r0, r1 = socketpair(stream)\n";
    refused("socketpaar(stream)", 1, &["socketpaar", "there are: socketpair"]);
    refused("hello", 1, &["hello", "CALL(ARGUMENTS)"]);
    refused("r0, r1 = socketpair(raw)", 1, &["raw", "stream, dgram, seqpacket"]);
    refused("r0 = socketpair(stream)", 1, &["makes 2 variables"]);
    refused("r0 = socket()", 1, &["the type is missing"]);
    refused("r0 = socket(stream, fast)", 1, &["nonblock", "fast"]);
    refused("r1000 = socket(stream)", 1, &["r1000", "r999"]);
    refused("\nclose(r0)", 2, &["r0 is used", "made it"]);
    refused(&format!("{pair}r1 = dup(r0)"), 2, &["r1 is made twice"]);
    refused(&format!("{pair}shutdown(r0, read)"), 2, &["rd, wr, rdwr", "read"]);
    refused(&format!("{pair}send(r0, x)"), 2, &["\"text\"", "bytes(LENGTH, FIRST)"]);
    refused(&format!("{pair}send(r0, \"x\", rights=[r1])"), 2, &["no flag", "dontwait"]);
    refused(&format!("{pair}send(r0, bytes(9999999, 0))"), 2, &["too many"]);
    refused(&format!("{pair}sendmsg(r0, \"x\", rights=r1)"), 2, &["[ ]"]);
    refused(&format!("{pair}recv(r0, many)"), 2, &["the room", "number"]);
    refused(&format!("{pair}r2 = recvmsg(r0, 9)"), 2, &["room for 0 descriptors"]);
    refused(&format!("{pair}bind(r0, \"\")"), 2, &["no name", "103"]);
    refused(&format!("{pair}close(r0, r1)"), 2, &["one argument too many"]);
    refused(&format!("{pair}thread 2:"), 2, &["thread 1:"]);
    refused(&format!("{pair}then:"), 2, &["after the last thread"]);
    refused(&format!("{pair}backend: global"), 2, &["before the first call"]);
    refused(&format!("{pair}thread 1:\nr2 = dup(r0)\nthread 2:\nclose(r2)"), 5, &["r2"]);
}

#[test]
fn the_same_seed_gives_the_same_programs() {
    // The hash of the text is written down: the programs are the same on every machine.
    let text: String = (0..200).map(|number| generate(42, number).to_string()).collect();
    let fnv = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    assert_eq!(hash, 0x2657_682d_63c2_7762, "programs of seed 42: {hash:#x}");
    assert_ne!(generate(42, 0), generate(43, 0));
}

#[test]
fn every_call_is_drawn_and_succeeds_now_and_then() {
    let mut model = Runner::new(Backend::of::<Model>()).unwrap();
    let (mut trace, mut done) = (Trace::default(), std::collections::HashSet::new());
    for number in (0..4000).filter(|number| number % 16 != 15) {
        let program = generate(3, number);
        model.run(&program, &mut trace);
        for (call, answer) in program.calls().zip(trace.answers()) {
            if let programs::runner::Outcome::Done(_) = answer.outcome {
                done.insert(std::mem::discriminant(call));
            }
        }
    }
    assert_eq!(done.len(), 18, "calls that succeeded at least once");
}

#[test]
fn the_backends_do_what_the_model_says() {
    std::thread::scope(|threads| {
        for seed in [1, 2] {
            threads.spawn(move || do_what_the_model_says(seed));
        }
    });
}

fn do_what_the_model_says(seed: u64) {
    let mut bench = Bench::new(backends()).unwrap();
    for number in 0..PROGRAMS {
        let program = generate(seed, number);
        if let Err(difference) = bench.run(&program) {
            let (kind, report) = (&difference.kind, &difference.report);
            panic!("{} {seed}/{number}: {kind}\n{report}\n{program}", difference.backend);
        }
    }
}

#[test]
fn the_kept_programs_find_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    let mut bench = Bench::new(backends()).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let program = parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for _ in 0..4 {
            assert_eq!(bench.run(&program), Ok(()), "{}", path.display());
        }
        count += 1;
    }
    assert!(count >= 3, "{count} programs");
}

#[test]
fn every_known_difference_has_its_reason() {
    assert!(allowed::reasons().all(|reason| reason.len() > 10));
}

#[test]
fn a_failing_program_is_made_as_small_as_it_can_be() {
    // It fails as long as there is a close after a send.
    let fails = |program: &Program| {
        let calls: Vec<&Call> = program.calls().collect();
        let send = calls.iter().position(|call| matches!(call, Call::Send(_)));
        send.is_some_and(|at| calls[at..].iter().any(|call| matches!(call, Call::Close(_))))
    };
    let failing = (0..500).map(|number| generate(5, number)).filter(fails);
    for program in failing {
        let small = minimize(&program, fails);
        assert!(fails(&small));
        assert!(small.threads.is_empty(), "{small}");
        assert_eq!(small.len(), 3, "{small}");
    }
}
