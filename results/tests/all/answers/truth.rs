//! No sentence says more than its interval: of runs drawn by chance, whose truth is known.

use fastrand::Rng;

use super::*;

/// Numbers in brackets: each interval that a sentence prints.
fn intervals(sentence: &str) -> Vec<[f64; 2]> {
    let ends = |text: &str| -> Option<[f64; 2]> {
        let (low, high) = text.split_once(']')?.0.split_once(", ")?;
        Some([low.parse().ok()?, high.parse().ok()?])
    };
    sentence.split('[').skip(1).filter_map(ends).collect()
}

/// The truth about one interval: what may be said of it.
fn check_one(sentence: &str, [middle, low, high]: [f64; 3], question: &str) {
    let all = format!("{sentence} of {middle} [{low}, {high}]");
    if sentence.contains("pays") {
        assert!(low > 1.0, "{all}");
    }
    if sentence.contains("costs") || sentence.contains("slower") {
        assert!(high < 1.0, "{all}");
    }
    if let Some((_, rest)) = sentence.split_once("no difference within ") {
        let percent: f64 = rest.split(' ').next().unwrap().parse().unwrap();
        assert!(percent <= 5.0, "{all}");
        assert!(1.0 - percent / 100.0 <= low + 1e-8, "{all}");
        assert!(high <= 1.0 + percent / 100.0 + 1e-8, "{all}");
    }
    if low < 1.0 && high > 1.0 {
        assert!(!sentence.contains("pays") && !sentence.contains("slower"), "{all}");
    }
    let words = ["pays", "costs", "slower", "no difference"];
    let said = words.iter().any(|word| sentence.contains(word));
    assert_eq!(said, question != "not answered", "{all}");
    for [from, to] in intervals(sentence) {
        let is_loss = sentence.contains("costs");
        let (low, high) =
            if is_loss { ((1.0 - high) * 100.0, (1.0 - low) * 100.0) } else { (low, high) };
        assert!(from <= low + 1e-7 && to >= high - 1e-7, "{from} {to}: {all}");
    }
}

/// Intervals of every kind, many of them with an end that is nearly 1.
fn draw(random: &mut Rng) -> [f64; 3] {
    let near = |random: &mut Rng| 1.0 + (random.f64() - 0.5) * 0.02;
    let (one, other) = match random.u32(0..4) {
        0 => (near(random), near(random)),
        1 => (near(random), (random.f64() * 4.0 - 2.0).exp()),
        _ => ((random.f64() * 6.0 - 3.0).exp(), (random.f64() * 6.0 - 3.0).exp()),
    };
    let (low, high) = (one.min(other), one.max(other));
    [low + (high - low) * random.f64(), low, high]
}

#[test]
fn no_sentence_says_more_than_its_interval() {
    let mut random = Rng::with_seed(12);
    for _ in 0..4_000 {
        let found = draw(&mut random);
        let workload = ["pairs", "stream", "rights"][random.usize(0..3)];
        let all = answers(of(&[known(workload, "per-socket", 2, found, GLOBAL_LOCKS)]));
        let said: Vec<&Answer> = all.iter().collect();
        assert_eq!(said.len(), 1);
        check_one(&said[0].sentence, found, &said[0].question);
        let [middle, low, high] = found.map(Some);
        assert_eq!([said[0].ratio, said[0].low, said[0].high], [middle, low, high]);
    }
}

/// Several workloads, backends and numbers of threads at once: every interval that is printed is
/// one of the sentence's cells, and what all of a sentence says is true of each of them.
#[test]
fn no_sentence_about_many_says_more_than_their_intervals() {
    let mut random = Rng::with_seed(13);
    let backends = ["per-socket", "lock-free", "global-gc", "per-buffer"];
    let mut crossovers = 0;
    for _ in 0..400 {
        let mut all = Vec::new();
        for workload in ["pairs", "stream", "duplex"] {
            for backend in &backends[..random.usize(1..5)] {
                for threads in [1, 2, 4] {
                    let lockless = *backend == "lock-free" && workload != "duplex";
                    let locks = if lockless { [0.0; 3] } else { GLOBAL_LOCKS };
                    let found = Some(draw(&mut random)).filter(|_| random.u32(0..8) > 0);
                    all.push(Known { workload, backend, threads, ratio: found, locks });
                }
            }
        }
        let found = |id: &str| {
            let known =
                all.iter().find(|one| cell(one.workload, one.backend, one.threads).id() == id);
            known.expect("a cell of the run").ratio
        };
        let mut told: Vec<String> = Vec::new();
        for answer in answers(of(&all)).iter() {
            check_many(answer, &found);
            check_from(answer, &all);
            crossovers += answer.sentence.matches("pays from ").count();
            told.extend(answer.cells.iter().cloned());
        }
        told.sort();
        let mut ids: Vec<String> =
            all.iter().map(|one| cell(one.workload, one.backend, one.threads).id()).collect();
        ids.sort();
        assert_eq!(told, ids, "every cell is told of once");
    }
    assert!(crossovers > 100, "{crossovers}");
}

fn check_many(answer: &Answer, found: &impl Fn(&str) -> Option<[f64; 3]>) {
    let sentence = &answer.sentence;
    let of_cells: Vec<Option<[f64; 3]>> = answer.cells.iter().map(|id| found(id)).collect();
    if answer.question == "not answered" {
        assert!(!sentence.contains("pays") && !sentence.contains("slower"), "{answer:?}");
        return;
    }
    let of_cells: Vec<[f64; 3]> = of_cells.into_iter().map(|one| one.expect("told")).collect();
    if sentence.contains("is slower") {
        assert!(of_cells.iter().all(|[.., high]| *high < 1.0), "{answer:?} {of_cells:?}");
    }
    let is_printed = |[_, low, high]: &[f64; 3]| {
        intervals(sentence).iter().any(|[from, to]| {
            let covers = |low: f64, high: f64| *from <= low + 1e-7 && *to >= high - 1e-7;
            covers(*low, *high) || covers((1.0 - high) * 100.0, (1.0 - low) * 100.0)
        })
    };
    for one in &of_cells {
        let [_, low, high] = one;
        let is_within = sentence
            .split("no difference within ")
            .skip(1)
            .filter_map(|rest| rest.split(' ').next()?.parse::<f64>().ok())
            .any(|percent| {
                1.0 - percent / 100.0 <= low + 1e-8 && *high <= 1.0 + percent / 100.0 + 1e-8
            });
        assert!(is_printed(one) || is_within, "{one:?} in {answer:?}");
        // What holds 1 is told as no difference or not at all.
        if *low <= 1.0 && *high >= 1.0 {
            assert!(is_within, "{one:?} in {answer:?}");
        }
    }
    for part in sentence.split("; ") {
        for [from, to] in intervals(part) {
            if part.contains("pays") {
                assert!(from > 1.0, "{part}: {answer:?}");
            } else if part.contains("costs") {
                assert!(from >= 1.0 && to <= 100.0, "{part}: {answer:?}");
            } else if part.contains("slower") {
                assert!(to < 1.0, "{part}: {answer:?}");
            }
        }
    }
}

/// "From N threads" is said where every number measured from N on pays, and the one before is known
/// not to.
fn check_from(answer: &Answer, all: &[Known]) {
    let sentence = &answer.sentence;
    let of_answer =
        |one: &&Known| answer.cells.contains(&cell(one.workload, one.backend, one.threads).id());
    for (place, _) in sentence.match_indices("pays from ") {
        let number = sentence[place + "pays from ".len()..].split(' ').next();
        let from: u32 = number.unwrap().parse().expect("a number of threads");
        let labels =
            [("private pairs: ", "pairs"), ("streaming: ", "stream"), ("both ways: ", "duplex")];
        let last = labels.iter().max_by_key(|(label, _)| sentence[..place].rfind(label));
        let told = all.iter().find(of_answer).expect("a cell of the run");
        let workload = match last {
            Some((label, workload)) if sentence[..place].contains(label) => workload,
            _ => told.workload,
        };
        let mut here: Vec<&Known> = all
            .iter()
            .filter(|one| one.workload == workload && one.backend == told.backend)
            .collect();
        here.sort_by_key(|one| one.threads);
        let begins = here.iter().position(|one| one.threads == from).expect("it was measured");
        for one in &here[begins..] {
            assert!(one.ratio.is_some_and(|[_, low, _]| low > 1.0), "{one:?} in {answer:?}");
        }
        let before = here[begins.checked_sub(1).expect("one before")];
        assert!(of_answer(&before), "{before:?} in {answer:?}");
        // It is said of the printed interval, which is wider by less than 0.01 to each side.
        let is_not_so = before.ratio.is_some_and(|[_, low, high]| low < 1.01 || high <= 1.03);
        assert!(is_not_so, "{before:?} in {answer:?}");
    }
}
