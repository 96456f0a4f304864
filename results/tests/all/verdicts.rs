//! The sequential rule, step by step. What it is worth on noise is in `trust.rs`.

use results::Verdict;
use results::multiple::holm;
use results::verdict::{
    self, Better, FAMILY_ERROR, ItselfVerdict, Rule, against_itself, p_value, pair, quad,
};

/// So many pairs that lie evenly within one percent of a ratio.
fn around(ratio: f64, count: u32) -> Vec<f64> {
    let middle = f64::from(count - 1) / 2.0;
    (0..count).map(|i| ratio.ln() + 0.01 * (f64::from(i) - middle) / middle).collect()
}

fn verdict_of(log_ratios: &[f64], better: Better) -> Verdict {
    Rule::default().look(log_ratios, better, false).verdict
}

#[test]
fn better_is_a_matter_of_the_metric() {
    let (more, less) = (around(1.05, 10), around(0.95, 10));
    assert_eq!(verdict_of(&more, Better::Higher), Verdict::Faster);
    assert_eq!(verdict_of(&less, Better::Higher), Verdict::Slower);
    assert_eq!(verdict_of(&more, Better::Lower), Verdict::Slower);
    assert_eq!(verdict_of(&less, Better::Lower), Verdict::Faster);
}

#[test]
fn estimates_are_ratios() {
    let decision = Rule::default().look(&around(1.05, 10), Better::Higher, false);
    let estimate = decision.estimate.expect("ten pairs");
    assert!((estimate.ratio - 1.05).abs() < 1e-12);
    assert!(estimate.low < 1.05 && estimate.low > 1.035 && estimate.high < 1.065);
    assert_eq!((estimate.pairs, decision.is_final), (10, true));
    assert!(estimate.level >= 0.998 && estimate.level < 0.999, "{estimate:?}");
    assert!(estimate.smallest_visible > 0.01 && estimate.smallest_visible < 0.025);
}

#[test]
fn a_small_change_is_the_same() {
    for ratio in [1.0, 1.009, 0.991, 1.015] {
        let expected = if ratio < 1.01 { Verdict::Same } else { Verdict::Faster };
        assert_eq!(verdict_of(&around(ratio, 110), Better::Higher), expected, "{ratio}");
    }
    let decision = Rule::default().look(&around(1.0, 10), Better::Higher, false);
    assert!(decision.is_final && decision.why.contains("margin"));
}

/// Of ten pairs the interval ends with the lowest and the highest.
#[test]
fn the_bounds_of_each_verdict_are_part_of_it() {
    let of = |log_ratios: &[f64]| verdict_of(log_ratios, Better::Higher);
    let threshold = 0.01_f64.ln_1p();
    assert_eq!(of(&[threshold; 10]), Verdict::Faster);
    assert_eq!(of(&[-threshold; 10]), Verdict::Slower);
    assert_eq!(of(&[threshold * 0.999; 10]), Verdict::Same);
    let with_zero = |change: f64| [[0.0; 1].as_slice(), &[change; 9]].concat();
    assert_eq!(
        of(&with_zero(0.02)),
        Verdict::Same,
        "an interval that touches 1 does not exclude it"
    );
    assert_eq!(of(&with_zero(-0.02)), Verdict::Same);
    assert!(matches!(against_itself(&with_zero(0.02)), ItselfVerdict::Agrees(_)));
    assert!(matches!(against_itself(&with_zero(-0.02)), ItselfVerdict::Agrees(_)));
    let margin = 0.03_f64.ln_1p();
    let between = |low: f64, high: f64| [[low; 5], [high; 5]].concat();
    assert_eq!(of(&between(-margin, margin)), Verdict::Same);
    assert_eq!(of(&between(-margin * 1.001, margin)), Verdict::Unclear);
    assert_eq!(of(&between(-margin, margin * 1.001)), Verdict::Unclear);
}

#[test]
fn the_smallest_visible_change_is_half_of_both_intervals() {
    let found = Rule::default().look(&around(1.0, 10), Better::Higher, false).estimate;
    // All of it at 99.8 %; at 80 % fourteen averages are dropped at each end, and the next is of
    // the first and the seventh pair, a third of the way from the middle.
    let expected = (0.01_f64 + 0.01 / 3.0).exp_m1();
    assert!((found.expect("ten pairs").smallest_visible - expected).abs() < 1e-12);
}

/// Pairs too far apart to say anything.
fn wild(count: usize) -> Vec<f64> {
    (0..count).map(|i| if i % 2 == 0 { 0.2 } else { -0.2 } + i as f64 * 1e-4).collect()
}

#[test]
fn unclear_wants_more_pairs_until_there_are_none() {
    let rule = Rule::default();
    let open = rule.look(&wild(22), Better::Higher, false);
    assert_eq!((open.verdict, open.is_final), (Verdict::Unclear, false));
    let spent = rule.look(&wild(22), Better::Higher, true);
    assert_eq!((spent.verdict, spent.is_final), (Verdict::Unclear, true));
    let visible = spent.estimate.expect("22 pairs").smallest_visible;
    assert!(visible > 0.1 && visible < 0.5, "{visible}");
    assert!(!rule.look(&wild(374), Better::Higher, false).is_final);
    assert!(rule.look(&wild(375), Better::Higher, false).is_final);
    assert!(rule.look(&wild(376), Better::Higher, false).is_final);
}

#[test]
fn nothing_is_decided_between_looks() {
    let rule = Rule::default();
    let eleven = around(1.5, 11);
    let between = rule.look(&eleven, Better::Higher, false);
    assert_eq!((between.verdict, between.is_final), (Verdict::Unclear, false));
    assert!(between.estimate.is_some());
    assert_eq!(rule.look(&eleven, Better::Higher, true).verdict, Verdict::Faster);
    let looks = [0, 10, 11, 34, 375, 376].map(|pairs| rule.next_look(pairs));
    assert_eq!(looks, [Some(10), Some(10), Some(15), Some(50), Some(375), None]);
}

#[test]
fn too_few_pairs_and_missing_ratios_say_nothing() {
    let rule = Rule::default();
    for log_ratios in [vec![], around(2.0, 9), vec![f64::NAN; 20], vec![f64::INFINITY; 20]] {
        for budget_spent in [false, true] {
            let decision = rule.look(&log_ratios, Better::Higher, budget_spent);
            assert_eq!((decision.verdict, decision.estimate), (Verdict::Unclear, None));
            assert_eq!(decision.is_final, budget_spent);
        }
    }
    let too_many = rule.look(&vec![0.0; 401], Better::Higher, false);
    assert_eq!((too_many.verdict, too_many.is_final), (Verdict::Unclear, true));
}

#[test]
fn identical_pairs_are_the_same() {
    let decision = Rule::default().look(&[0.0; 10], Better::Higher, false);
    assert_eq!(decision.verdict, Verdict::Same);
    let estimate = decision.estimate.expect("ten pairs");
    assert_eq!((estimate.low, estimate.ratio, estimate.high), (1.0, 1.0, 1.0));
    assert_eq!(estimate.smallest_visible, 0.01);
    assert_eq!(p_value(&[0.0; 10]), 1.0);
}

#[test]
fn a_side_that_differs_from_itself_spoils_it_all() {
    assert_eq!(against_itself(&around(1.0, 9)), ItselfVerdict::TooFew);
    assert_eq!(against_itself(&[f64::NAN; 20]), ItselfVerdict::TooFew);
    let ItselfVerdict::Agrees(agrees) = against_itself(&around(1.002, 12)) else {
        panic!("agrees")
    };
    assert!(agrees.low < 1.0 && agrees.high > 1.0 && agrees.pairs == 12);
    let ItselfVerdict::Differs(differs) = against_itself(&around(1.03, 10)) else {
        panic!("differs")
    };
    assert!(differs.low > 1.0 && (differs.ratio - 1.03).abs() < 1e-12);
    // Of very many pairs the newest count.
    let many = [vec![1.0; 200], around(1.0, 400)].concat();
    assert!(matches!(against_itself(&many), ItselfVerdict::Agrees(itself) if itself.pairs == 400));
}

#[test]
fn a_family_of_comparisons_is_judged_more_strictly() {
    assert_eq!(Rule::of_family(1), Rule::default());
    let rule = Rule::of_family(12);
    assert!((rule.level_per_look - (1.0 - FAMILY_ERROR / 120.0)).abs() < 1e-12);
    // Ten pairs cannot reach that level, fifteen can.
    assert!(rule.look(&around(2.0, 10), Better::Higher, false).estimate.is_none());
    let fifteen = around(2.0, 15);
    assert_eq!(rule.look(&fifteen, Better::Higher, false).verdict, Verdict::Faster);
    let mut p_values = vec![1.0; 12];
    p_values[3] = rule.p_value(&fifteen);
    assert!((p_values[3] - 10.0 * 2.0 / 32768.0).abs() < 1e-12);
    assert_eq!(holm(&p_values, FAMILY_ERROR).iter().filter(|fallen| **fallen).count(), 1);
    assert_eq!(rule.p_value(&around(1.0, 20)), 1.0, "never more than certain");
    assert_eq!(verdict::p_value(&vec![1.0; 500]), 1.0, "none is given, so it says nothing");
}

#[test]
fn quads_cancel_a_steady_drift() {
    // A, B, B, A while the machine loses 3 % from slice to slice; B does 10 % more.
    let drift = |step: i32| 0.97_f64.powi(step);
    let said = quad(drift(0), 1.1 * drift(1), 1.1 * drift(2), drift(3));
    assert!((said - 1.1_f64.ln()).abs() < 1e-12);
    assert_eq!(pair(&[0.1, 0.9, 0.2]), Some(0.2));
    assert_eq!(pair(&[]), None);
}

#[test]
fn an_unclear_look_says_whether_more_pairs_may_tell() {
    let pairs = [[-0.1; 5], [0.1; 5]].concat();
    let look = |budget_spent| {
        let found = Rule::default().look(&pairs, Better::Higher, budget_spent);
        (found.verdict, found.is_final, found.why)
    };
    assert_eq!(look(false), (Verdict::Unclear, false, "more pairs may tell"));
    assert_eq!(look(true), (Verdict::Unclear, true, "the pairs leave room for either"));
}

#[test]
fn a_quad_is_b_over_a_whatever_the_order() {
    let expected = (15.0_f64 / 14.0).ln() / 2.0;
    assert!((quad(2.0, 3.0, 5.0, 7.0) - expected).abs() < 1e-12);
    assert!((quad(3.0, 2.0, 7.0, 5.0) + expected).abs() < 1e-12);
}
