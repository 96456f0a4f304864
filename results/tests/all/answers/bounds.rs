//! Where one sentence ends and another one begins.

use super::*;

/// Two workloads of one question.
fn one_busy_pair(ratios: [[f64; 3]; 2]) -> String {
    let [stream, duplex] = ratios;
    one_sentence(&[
        known("stream", "per-socket", 2, stream, GLOBAL_LOCKS),
        known("duplex", "per-socket", 2, duplex, GLOBAL_LOCKS),
    ])
}

#[test]
fn workloads_that_all_pay_and_those_that_all_do_nothing_stand_in_one_list() {
    let more = one_busy_pair([[2.0, 1.9, 2.1], [3.0, 2.9, 3.1]]);
    let expected = "a lock per socket pays: 2.00 x one lock for all [1.90, 2.10] streaming, \
                    3.00 x [2.90, 3.10] both ways";
    assert!(more.starts_with(expected), "{more}");
    let same = one_busy_pair([[1.0, 0.99, 1.01], [1.0, 0.98, 1.01]]);
    assert_eq!(same, "a lock per socket makes no difference within 2 %");
}

#[test]
fn what_lies_near_1_makes_no_difference_on_whichever_side_it_lies() {
    for near in [[1.02, 1.011, 1.029], [0.98, 0.971, 0.989]] {
        let said = one_sentence(&[pairs(2, near)]);
        assert_eq!(said, "a lock per socket makes no difference within 3 %", "{near:?}");
    }
    assert!(one_sentence(&[pairs(2, [1.03, 1.011, 1.041])]).contains("pays"));
}

#[test]
fn a_change_is_seen_between_a_number_of_threads_and_its_double() {
    let [less, more] = [[0.8, 0.7, 0.9], [2.0, 1.9, 2.1]];
    let said = one_sentence(&[pairs(4, less), pairs(8, more)]);
    assert!(said.contains("pays from 8 threads"), "{said}");
    let said = one_sentence(&[pairs(1, less), pairs(3, more)]);
    assert!(said.contains("pays with 3 threads"), "{said}");
}

#[test]
fn a_hundredth_of_a_relock_is_told_and_less_is_not() {
    let said = |relocks: f64| {
        one_sentence(&[known("pairs", "per-socket", 2, [0.8, 0.7, 0.9], [4.0, relocks, 0.0])])
    };
    assert!(said(0.01).contains("0.01 relocks a message"), "{}", said(0.01));
    assert!(!said(0.009).contains("relock"), "{}", said(0.009));
}

#[test]
fn what_is_open_for_another_reason_has_another_sentence() {
    let none = |threads| Known { ratio: None, ..pairs(threads, [1.0; 3]) };
    let wide = |threads| pairs(threads, [1.0, 0.8, 1.2]);
    assert_eq!(sentences(of(&[none(1), wide(2)])).len(), 2);
    assert_eq!(sentences(of(&[wide(1), wide(2)])).len(), 2, "each has its interval");
    assert_eq!(sentences(of(&[none(1), none(2)])).len(), 1);
}

#[test]
fn cells_that_are_spoiled_alike_are_told_together() {
    let more = [2.0, 1.9, 2.1];
    let said = |spoil: [fn(&mut Pinning); 2]| {
        let mut run = of(&[pairs(1, more), pairs(2, more)]);
        for record in &mut run.records {
            if let Record::Measured(measured) = record {
                spoil[measured.cell.threads as usize - 1](&mut measured.pinning);
            }
        }
        sentences(run)
    };
    let crowded: fn(&mut Pinning) = |pinning| pinning.oversubscribed = true;
    let free: fn(&mut Pinning) = |pinning| pinning.unpinned = true;
    let together = said([crowded, crowded]);
    assert_eq!(together.len(), 1, "{together:?}");
    let names = "pairs per-socket with 1 thread, pairs per-socket with 2 threads: more threads";
    assert!(together[0].1.starts_with(names), "{together:?}");
    assert_eq!(said([crowded, free]).len(), 2);
}
