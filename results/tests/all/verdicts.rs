use std::time::Instant;
use rayon::prelude::*;
use results::Verdict;
use results::verdict::{Better, Rule};
use crate::synthetic::{BUSY, Machine, Order, QUIET, Source};

#[derive(Default, Clone, Copy, Debug)]
struct Outcomes { faster: u32, slower: u32, same: u32, unclear: u32, pairs: u64, covered: u32, n: u32 }

fn compare(rule: &Rule, source: &mut Source, budget: u32, quads: usize, order: Order) -> (Verdict, u32, f64, f64) {
    let mut logs = Vec::new();
    loop {
        logs.push(source.pair(quads, order));
        let n = logs.len() as u32;
        if rule.looks.contains(&n) || n == budget {
            let d = rule.look(&logs, Better::Higher, n == budget);
            if d.is_final { let e = d.estimate.unwrap(); return (d.verdict, n, e.low, e.high); }
        }
    }
}

fn many(rule: &Rule, m: Machine, ratio: f64, budget: u32, quads: usize, runs: u64) -> Outcomes {
    (0..runs).into_par_iter().map(|seed| {
        let mut s = Source::new(m, ratio, seed * 7919 + 13);
        let (v, n, low, high) = compare(rule, &mut s, budget, quads, Order::Coin);
        let mut o = Outcomes { n: 1, pairs: n as u64, covered: (low <= ratio && ratio <= high) as u32, ..Default::default() };
        match v { Verdict::Faster => o.faster = 1, Verdict::Slower => o.slower = 1, Verdict::Same => o.same = 1, Verdict::Unclear => o.unclear = 1 }
        o
    }).reduce(Outcomes::default, |a, b| Outcomes { faster: a.faster+b.faster, slower: a.slower+b.slower, same: a.same+b.same, unclear: a.unclear+b.unclear, pairs: a.pairs+b.pairs, covered: a.covered+b.covered, n: a.n+b.n })
}

#[test]
#[ignore]
fn explore() {
    let rules = [
        ("spec", vec![20, 40, 80, 120], 0.997),
        ("early", vec![10, 20, 40, 80, 120], 0.997),
        ("geo", vec![10, 15, 22, 33, 50, 75, 110], 0.997),
        ("geo98", vec![10, 15, 22, 33, 50, 75, 110], 0.998),
        ("geo9994", vec![12, 15, 22, 33, 50, 75, 110], 0.9994),
        ("dense", vec![10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120], 0.997),
        ("dense98", vec![10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120], 0.998),
    ];
    let c = Machine { launch: 0.02, slice: 0.04, ..BUSY };
    for (mn, m) in [("busy", BUSY), ("mid", c), ("quiet", QUIET)] {
      for q in [2usize, 3] {
        for (name, looks, level) in &rules {
            let rule = Rule { looks: looks.clone(), level_per_look: *level, ..Rule::default() };
            for budget in [90u32, 1000] {
            if budget == 1000 && (mn == "mid" || q == 3) { continue; }
            print!("{mn:5} q{q} {name:8} b{budget:4}");
            for ratio in [1.0, 0.98, 0.96, 0.95, 0.92, 0.9] {
                let t = Instant::now();
                let runs = if ratio == 1.0 { 4000 } else { 500 };
                let o = many(&rule, m, ratio, budget, q, runs);
                let p = |x: u32| f64::from(x) * 100.0 / f64::from(o.n);
                print!(" | {ratio}: F{:.2} S{:.1} ={:.0} n{:.0} c{:.1} {:.1}s", p(o.faster), p(o.slower), p(o.same), o.pairs as f64 / f64::from(o.n), p(o.covered), t.elapsed().as_secs_f64());
            }
            println!();
            }
        }
      }
    }
}
