//! What a finding says, and who is told.

use super::*;

reports!(
    a_finding_says_where_and_how_many,
    {
        set_finding_hook(|finding| {
            let found = found_by(finding.check);
            eprintln!("{} {} {} at", finding.check.name(), finding.count, found);
            eprintln!("{}", finding.at);
            eprintln!("{} {}", finding.operation, finding.backend);
            eprintln!("thread {} after {} calls", finding.thread, finding.calls);
        });
        std::thread::spawn(|| {
            (0..2).for_each(|_| {
                begin();
                userret()
            });
        })
        .join()
        .unwrap();
        (0..3).for_each(|_| {
            begin();
            userret()
        });
        begin();
        take(A, Class::Names); // the older
        take(B, Class::SoLock); // the newer
        userret();
    },
    "witness: userret: returning with the following locks held:
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the newer
     exclusive rwlock names r = 0 (0x10)
     #0 take(A, Class::Names); // the older
     panic: witness_warn  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the newer
     exclusive rwlock names r = 0 (0x10)
     #0 take(A, Class::Names); // the older
     leaked_locks 2 2 at
     take(B, Class::SoLock); // the newer
     sys_test tested
     thread 1 after 5 calls"
);

reports!(
    a_hang_is_at_the_first_that_waits,
    {
        set_finding_hook(|finding| eprintln!("{} {}", finding.check.name(), finding.at));
        begin();
        sleep(A, WaitsFor::Wakeup, 0); // the first
        report_hang(Duration::from_millis(1));
    },
    "witness: no call returned for 1ms
     Thread 1 (sys_test) waits for a wake-up on 0x10 at sleep(A, WaitsFor::Wakeup, 0); // the first
     panic: watchdog  (operation sys_test, backend tested, thread 1)
     hang sleep(A, WaitsFor::Wakeup, 0); // the first"
);

reports!(
    a_panic_with_a_lock,
    {
        begin();
        take(A, Class::SoLock);
        report_panic("why");
    },
    "witness: thread panicked: why
     while holding:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);
     panic: worker  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);"
);

reports!(
    a_panic_with_nothing_held,
    {
        begin();
        userret();
        report_panic("why");
    },
    "witness: thread panicked: why
     panic: worker  (operation none, backend none, thread 1)
     Thread 1 (none)"
);

reports!(
    a_panic_whose_place_is_known,
    {
        begin();
        take(A, Class::SoLock);
        report_panic_at("why", "there.rs:1:2");
    },
    "witness: thread panicked: why
     #0 there.rs:1:2
     while holding:
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);
     panic: worker  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock);"
);

reports!(
    wrong_data,
    {
        report_data(Check::BytesLost, 3, "tested", "what");
    },
    "witness: bytes_lost: what
     #0 report_data(Check::BytesLost, 3, \"tested\", \"what\");
     panic: data  (operation verify, backend tested, thread 0)"
);

fn pools(in_use: u64) -> [PoolUse; 2] {
    let of = |name, in_use| PoolUse { name, in_use, requests: 12, releases: 12 - in_use };
    [of("file", 0), of("mbuf", in_use)]
}

#[test]
fn empty_pools_are_no_finding() {
    check_pools("tested", &pools(0));
}

reports!(
    a_pool_that_is_not_empty,
    {
        set_finding_hook(|finding| eprintln!("{} {}", finding.count, finding.at));
        check_pools("tested", &pools(5));
    },
    "witness: objects in use after everything was closed:
     Name           InUse    Requests    Releases
     file               0          12          12
     mbuf               5          12           7
     panic: pool  (operation end of run, backend tested, thread 0)
     5 pool mbuf"
);
