//! Every model, and every negative control: the same model with one step left out, which must fail.
//!
//! Each runs in a process of its own, because a process has one witness; so several can run at
//! once.

use std::process::{Command, ExitStatus};

use loom_models::models::{LEAVE_OUT, all, check};

/// The test of a model of the same name.
macro_rules! models {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                passes(stringify!($name));
            }
        )*

        #[test]
        fn every_model_is_tested() {
            let names: Vec<_> = all().iter().map(|model| model.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

models! {
    relock_two_senders relock_parted relock_parted_by_two
    relock_reconnected relock_reconnected_two_senders relock_referrer relock_send_close
    relock_send_shutdown
    parting_waits parting_waits_for_two parting_by_both parting_of_a_third parting_by_detach
    parting_by_detach_and_connect
    try_two_senders try_parted try_closed try_reconnected try_reconnected_two_senders try_referrer
    refs_one_holder refs_two_holders refs_three_holders refs_relock_and_reuse
    sides_there_and_gone sides_both_ways sides_send_close sides_send_shutdown sides_close_in_call
    switch_listen switch_listen_two_users switch_accept switch_accept_send switch_accept_sleeper
    switch_reuse switch_left_behind
    queue_there_and_gone queue_both_ways queue_send_close queue_send_shutdown queue_close_in_call
    queue_receive_close queue_elsewhere queue_place_used_again queue_connect_accept queue_account
    queue_writer queue_writer_closed queue_reader
    pin_there_and_gone pin_both_ways pin_send_close pin_send_shutdown pin_close_in_call
    pin_writer pin_writer_closed pin_writer_ended pin_reader pin_receive_close pin_rights_shutdown
    links_two_senders links_send_close links_send_shutdown links_account links_addressed
    endpoint_there_and_gone endpoint_both_ways endpoint_send_close endpoint_send_shutdown
    endpoint_close_in_call endpoint_receive_close endpoint_connect_accept endpoint_numbers
    endpoint_names endpoint_right_to_send endpoint_right_awaited endpoint_rights_shutdown
    endpoint_account endpoint_writer endpoint_writer_closed endpoint_reader
    gate_shut gate_shut_both_sides gate_shut_twice gate_shut_three_sides
    gate_shut_twice_both_sides gate_four gate_reopened gate_reopened_at_the_peer gate_owner_changed
    gate_found_open gate_found_open_in_vain gate_two_receivers gate_send_close gate_send_shutdown
    ring_stream ring_records_by_bytes ring_records_by_memory ring_three_records
    wait_locked_reader wait_locked_writer wait_locked_two_readers wait_locked_reader_ended wait_locked_two_and_two
    wait_locked_one_each
    wait_reader wait_writer wait_both
    wait_writer_ended wait_reader_gate_shut wait_reader_closed wait_writer_closed
    mp_lock_two mp_lock_three
    raw_rwlock9_two raw_rwlock9_three raw_rwlock9_try
    raw_rwlock9_2025_two raw_rwlock9_2025_three raw_rwlock9_2025_try
    raw_futex_two raw_futex_three raw_futex_try raw_mutex9_two raw_mutex9_three raw_mutex9_try
    raw_ticket_two raw_ticket_three raw_ticket_try raw_mcs_two raw_mcs_three raw_mcs_try
    raw_clh_two raw_clh_three raw_clh_try
}

/// Set in the process that runs a model.
const HERE: &str = "SOLOCK_MODEL_HERE";

/// Runs a model's test in a process of its own, with this left out: how it ended, and what it said.
fn run(model: &str, left_out: Option<&str>) -> (ExitStatus, String) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", model, "--nocapture", "--test-threads=1"]);
    command.env(HERE, "1").env("RUST_BACKTRACE", "0");
    if let Some(left_out) = left_out {
        command.env(LEAVE_OUT, left_out);
    }
    let output = command.output().expect("it ran");
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

/// The model must pass. Prints its row of the table.
fn passes(model: &str) {
    if std::env::var_os(HERE).is_some() {
        return check(model);
    }
    let (status, text) = run(model, None);
    assert!(status.success(), "{model}:\n{text}");
    let row = text.find(&format!("| `{model}` |")).and_then(|at| text[at..].lines().next());
    println!("{}", row.expect("a row"));
}

/// The model must fail with this left out, and say why in these words.
fn fails(model: &str, left_out: &str, why: &str) {
    let (status, text) = run(model, Some(left_out));
    assert!(!status.success(), "{model} without {left_out} does not fail:\n{text}");
    assert!(text.contains(why), "{model} without {left_out} does not say {why:?}:\n{text}");
    println!("| `{model}` | {left_out} | {why} |");
}

/// The test of each negative control.
macro_rules! negative {
    ($($name:ident: $model:ident without $left_out:literal, $why:literal;)*) => { $(
        #[test]
        fn $name() {
            fails(stringify!($model), $left_out, $why);
        }
    )* };
}

/// The negative controls: a model, what is left out of it, and what it must say.
#[rustfmt::skip]
mod negative {
    use super::fails;

    negative! {
        relock_in_any_order: relock_two_senders without "AddressOrder", "lock order reversal";
        relock_without_second_look: relock_reconnected without "RelockRecheck", "is not locked by this thread";
        relock_without_look_at_a_parted_peer: relock_parted without "RelockRecheck", "returning with the following locks held";
        relock_keeps_the_old_peer: relock_reconnected without "RelockChanged", "returning with the following locks held";
        relock_without_reverse_look: relock_referrer without "ReferrerRecheck", "the new destination was dropped";
        relock_parted_unseen: relock_send_close without "PartedIsEpipe", "answers Err(Enotconn)";
        relock_end_unseen: relock_send_shutdown without "EndRecheck", "bytes sent, and bytes read up to the end";
        parting_not_waited_for: parting_waits without "WaitForRelock", "the peer is not the one that is locked";
        parting_by_detach_not_waited_for: parting_by_detach without "WaitForRelock", "the peer is not the one that is locked";
        parting_wakes_nobody: parting_waits without "WakeCounted", "deadlock";
        parting_counts_as_a_flag: parting_waits_for_two without "CountRelocks", "the peer is not the one that is locked";
        parting_sleeps_late: parting_of_a_third without "SleepWithCounted", "deadlock";
        parting_two_at_a_time: parting_by_detach_and_connect without "PartOneAtATime", "the new destination was dropped";
        try_not_looked_at: try_two_senders without "TryAnswer", "is not locked by this thread";
        try_then_wait: try_two_senders without "AddressOrder", "lock order reversal";
        try_without_reference: try_two_senders without "UnpRefTake", "unp_ref";
        try_parted_unseen: try_parted without "RelockRecheck", "is not the one that is locked";
        try_keeps_former_peer: try_parted without "RelockChanged", "the following locks held";
        try_connects: try_reconnected without "HoldConnect", "connected elsewhere in the relock";
        try_counts_as_a_flag:
            try_reconnected_two_senders without "CountRelocks", "connected elsewhere in the relock";
        try_wakes_nobody: try_reconnected without "WakeCounted", "deadlock";
        try_referrer_unseen: try_referrer without "ReferrerRecheck", "destination was dropped";
        relock_keeps_the_reference: refs_relock_and_reuse without "UnpRefRelock", "unp_ref";
        refs_not_waited_for: refs_one_holder without "finalize", "Causality violation";
        refs_of_three_not_waited_for: refs_three_holders without "finalize", "Causality violation";
        refs_without_orderings: refs_one_holder without "orderings", "Causality violation";
        refs_waited_for_with_the_lock: refs_relock_and_reuse without "FinalizeUnlocked", "maximum number of branches";
        sides_in_any_order: sides_there_and_gone without "SideOrder", "lock order reversal";
        sides_end_unguarded: sides_send_shutdown without "EndGuarded", "is not locked by this thread";
        sides_parted_unlocked: sides_send_close without "PeerToPart", "is not locked by this thread";
        switch_without_second_look:
            switch_listen without "LockLookAgain", "is not locked by this thread";
        switch_without_second_look_at_an_accept:
            switch_accept without "LockLookAgain", "is not locked by this thread";
        switch_without_the_new_lock:
            switch_listen without "SwitchTakesNew", "is not locked by this thread";
        switch_half_done:
            switch_accept_send without "AcceptTakesNew", "is not locked by this thread";
        switch_takes_the_shared_lock: switch_left_behind without "LeaveSpare", "deadlock";
        queue_parted_unseen:
            queue_send_close without "PartedIsEpipe", "answers Err(Enotconn)";
        queue_stranger:
            queue_place_used_again without "PeerLookAgain", "what a stranger has got";
        queue_accounted_late: queue_account without "AccountLocked", "room, and bytes taken";
        queue_end_unseen:
            queue_send_shutdown without "EndRecheck", "bytes sent, and bytes read up to the end";
        queue_writer_without_mirror: queue_writer without "MirrorReceived", "deadlock";
        queue_writer_without_second_look: queue_writer without "RetestWaiting", "deadlock";
        queue_writer_without_light_fence: queue_writer without "light_fence", "deadlock";
        queue_writer_without_heavy_fence: queue_writer without "heavy_fence", "deadlock";
        queue_reader_without_wake: queue_reader without "WakeReader", "deadlock";
        pin_writer_unwoken: pin_writer without "WakeWriter", "deadlock";
        pin_parting_unseen: pin_writer_closed without "PinLookAgain", "left: Ok(1)";
        pin_without_reference: pin_send_close without "PinTake", "unp_ref";
        pin_reader_without_wake: pin_reader without "WakeReader", "deadlock";
        pin_end_unseen: pin_rights_shutdown
            without "EndRecheck", "bytes sent, and bytes read up to the end";
        endpoint_in_any_order: endpoint_numbers without "AddressOrder", "lock order reversal";
        endpoint_parted_unlocked:
            endpoint_send_close without "PeerToPart", "is not locked by this thread";
        endpoint_reader_read_unlocked:
            endpoint_there_and_gone without "ReaderKept", "is not locked by this thread";
        endpoint_name_without_reference:
            endpoint_names without "NameReference", "the name of";
        endpoint_right_not_looked_at:
            endpoint_right_to_send without "RightLooked", "without an address answers Ok(1)";
        endpoint_right_without_wake: endpoint_right_awaited without "WakeWanted", "deadlock";
        endpoint_end_unseen: endpoint_rights_shutdown
            without "EndRecheck", "bytes sent, and bytes read up to the end";
        endpoint_accounted_late: endpoint_account without "AccountLocked", "room, and bytes taken";
        endpoint_writer_without_mirror: endpoint_writer without "MirrorReceived", "deadlock";
        endpoint_writer_without_second_look: endpoint_writer without "RetestWaiting", "deadlock";
        endpoint_writer_without_light_fence: endpoint_writer without "light_fence", "deadlock";
        endpoint_writer_without_heavy_fence: endpoint_writer without "heavy_fence", "deadlock";
        endpoint_reader_without_wake: endpoint_reader without "WakeReader", "deadlock";
        links_not_shared: links_send_close without "LinkForAppend", "is not locked by this thread";
        links_shared_to_connect:
            links_addressed without "AddressedAlone", "exclusive unlock of shared";
        links_account_unlocked: links_account without "HoldToAccount", "room, and bytes taken";
        links_account_before_the_lock:
            links_account without "LookLocked", "room, and bytes taken";
        gate_without_light_fence: gate_shut without "light_fence", "Causality violation";
        gate_without_heavy_fence: gate_shut without "heavy_fence", "Causality violation";
        gate_without_orderings: gate_shut without "orderings", "Causality violation";
        gate_without_leaving: gate_shut without "InUse", "returning with the following locks held";
        gate_never_gone_back_to: gate_found_open without "GoBack", "no execution saw: went back";
        gate_gone_back_to_for_ever:
            gate_found_open_in_vain without "OpenBefore", "maximum number of branches";
        gate_left_open: gate_two_receivers without "OnTake", "Causality violation";
        ring_without_orderings: ring_stream without "orderings", "Causality violation";
        ring_bytes_without_orderings: ring_records_by_bytes without "orderings", "Causality violation";
        ring_memory_without_orderings: ring_records_by_memory without "orderings", "Causality violation";
        wait_without_wake: wait_locked_reader without "WakeReader", "deadlock";
        wait_two_readers_without_wake: wait_locked_two_readers without "WakeReader", "deadlock";
        wait_two_and_two_without_wake: wait_locked_two_and_two without "WakeReader", "deadlock";
        wait_end_unseen: wait_locked_reader_ended without "EndRecheck", "bytes sent, and bytes read up to the end";
        wait_one_that_forgets_the_others: wait_locked_one_each without "more", "deadlock";
        wait_without_mirror: wait_locked_writer without "MirrorReceived", "deadlock";
        wait_without_second_look: wait_reader without "RetestWaiting", "deadlock";
        wait_with_a_third_without_second_look: wait_reader_gate_shut without "RetestWaiting", "deadlock";
        wait_without_light_fence: wait_reader without "light_fence", "deadlock";
        wait_without_heavy_fence: wait_reader without "heavy_fence", "deadlock";
        mp_lock_without_orderings: mp_lock_two without "orderings", "an update is lost";
        mp_lock_of_three_without_orderings: mp_lock_three without "orderings", "an update is lost";
        mp_lock_is_kept: mp_lock_two without "mp_unlock", "maximum number of branches";
        wait_writer_without_light_fence: wait_writer without "light_fence", "deadlock";
        raw_rwlock9_unordered: raw_rwlock9_two without "orderings", "an update is lost";
        raw_rwlock9_2025_unordered: raw_rwlock9_2025_two without "orderings", "an update is lost";
        raw_futex_unordered: raw_futex_two without "orderings", "an update is lost";
        raw_mutex9_unordered: raw_mutex9_two without "orderings", "an update is lost";
        raw_ticket_unordered: raw_ticket_two without "orderings", "an update is lost";
        raw_mcs_unordered: raw_mcs_two without "orderings", "an update is lost";
        raw_clh_unordered: raw_clh_two without "orderings", "an update is lost";
        raw_ticket_tries_unordered: raw_ticket_try without "orderings", "an update is lost";
        raw_mcs_tries_unordered: raw_mcs_try without "orderings", "an update is lost";
        raw_clh_tries_unordered: raw_clh_try without "orderings", "an update is lost";
        raw_rwlock9_wakes_nobody: raw_rwlock9_two without "notify", "deadlock";
        raw_rwlock9_2025_wakes_nobody: raw_rwlock9_2025_two without "notify", "deadlock";
        raw_rwlock9_2025_without_fence: raw_rwlock9_2025_two without "fence_after_rmw", "deadlock";
        raw_futex_wakes_nobody: raw_futex_two without "notify", "deadlock";
    }
}
