//! Locks taken out of order.

use super::*;

reports!(
    a_lower_number_after_a_higher_one,
    {
        take(A, Class::SoLock); // the first
        take_by(B, Class::SoLock, Edge::Numbered { lower: A, rises: false });
    },
    "witness: lock order reversal:
     1st 0x10 solock (solock)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower number first
     #0 take_by(B, Class::SoLock, Edge::Numbered { lower: A, rises: false });
     1st acquired at:
     #0 take(A, Class::SoLock); // the first
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_number_that_nobody_compared,
    {
        take(A, Class::SoLock); // the first
        check_first(A);
        check_first(B);
    },
    "witness: lock order reversal:
     1st 0x10 solock (solock)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower number first
     #0 check_first(B);
     1st acquired at:
     #0 take(A, Class::SoLock); // the first
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_number_after_none,
    {
        take(A, Class::SoLock);
        take_by(B, Class::SoLock, Edge::Numbered { lower: C, rises: true });
    },
    "witness: socket locked by number after none (0x30)
     #0 take_by(B, Class::SoLock, Edge::Numbered { lower: C, rises: true });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_lock_taken_twice,
    {
        begin();
        take(A, Class::SoLock); // the first
        checkorder(A, &Class::SoLock, Edge::None);
    },
    "witness: locking against myself: exclusive rwlock solock (0x10)
     #0 checkorder(A, &Class::SoLock, Edge::None);
     first acquired at:
     #0 take(A, Class::SoLock); // the first
     panic: rw_enter: solock locking against myself  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first"
);

reports!(
    a_mutex_taken_twice,
    {
        take(A, Class::Pool); // the first
        checkorder(A, &Class::Pool, Edge::None);
    },
    "witness: locking against myself: exclusive mutex pool (0x10)
     #0 checkorder(A, &Class::Pool, Edge::None);
     first acquired at:
     #0 take(A, Class::Pool); // the first
     panic: mtx_enter: pool locking against myself  (operation none, backend none, thread 0)"
);

reports!(
    mutexes_in_the_wrong_order,
    {
        take(A, Class::SbMtxSnd); // the first
        checkorder(B, &Class::SbMtxRcv, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x10 sbsnd (sbsnd)
     2nd 0x20 sbrcv (sbrcv)
     lock order \"sbrcv\"(mutex) -> \"sbsnd\"(mutex): lower rank first
     #0 checkorder(B, &Class::SbMtxRcv, Edge::None);
     1st acquired at:
     #0 take(A, Class::SbMtxSnd); // the first
     exclusive mutex sbsnd r = 0 (0x10)
     #0 take(A, Class::SbMtxSnd); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_higher_address_first,
    {
        begin();
        take(B, Class::SoLock); // the first
        checkorder(A, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x20 solock (solock)
     2nd 0x10 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower address first
     #0 checkorder(A, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(B, Class::SoLock); // the first
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the first
     panic: witness_checkorder  (operation sys_test, backend tested, thread 1)
     Thread 1 (sys_test)
     exclusive rwlock solock r = 0 (0x20)
     #0 take(B, Class::SoLock); // the first"
);

reports!(
    a_higher_rank_first,
    {
        take(A, Class::Pool); // the first
        checkorder(B, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x10 pool (pool)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"pool\"(mutex): lower rank first
     #0 checkorder(B, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(A, Class::Pool); // the first
     exclusive mutex pool r = 0 (0x10)
     #0 take(A, Class::Pool); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    a_lower_address_second_of_three,
    {
        take(A, Class::SoLock); // the first
        take(C, Class::SoLock); // the second
        checkorder(B, &Class::SoLock, Edge::None);
    },
    "witness: lock order reversal:
     1st 0x30 solock (solock)
     2nd 0x20 solock (solock)
     lock order \"solock\"(rwlock) -> \"solock\"(rwlock): lower address first
     #0 checkorder(B, &Class::SoLock, Edge::None);
     1st acquired at:
     #0 take(C, Class::SoLock); // the second
     exclusive rwlock solock r = 0 (0x30)
     #0 take(C, Class::SoLock); // the second
     exclusive rwlock solock r = 0 (0x10)
     #0 take(A, Class::SoLock); // the first
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

#[test]
fn ranks_go_before_addresses() {
    is_found(here!("ranks_go_before_addresses"), "lower rank first", || {
        take(A, Class::Pool);
        take(B, Class::Names);
    });
}

#[test]
fn a_head_is_taken_with_its_client_alone() {
    is_found(here!("a_head_is_taken_with_its_client_alone"), "1st 0x10 solock", || {
        take(A, Class::SoLock);
        take(C, Class::SoLock);
        take_by(B, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn a_lock_is_compared_with_every_held_one() {
    is_found(here!("a_lock_is_compared_with_every_held_one"), "1st 0x30 solock", || {
        take(C, Class::SoLock);
        take_by(A, Class::SoLock, Edge::Head { client: C });
        // Behind the newest, and before the client.
        take(B, Class::SoLock);
    });
}

#[test]
fn an_edge_is_of_sockets_alone() {
    is_found(here!("an_edge_is_of_sockets_alone"), "1st 0x30 pool", || {
        take(C, Class::Pool);
        take_by(B, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn an_edge_leads_to_a_socket() {
    is_found(here!("an_edge_leads_to_a_socket"), "2nd 0x20 names", || {
        take(C, Class::SoLock);
        take_by(B, Class::Names, Edge::Head { client: C });
    });
}

#[test]
fn an_edge_is_no_second_time() {
    is_found(here!("an_edge_is_no_second_time"), "locking against myself", || {
        take(C, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Head { client: C });
    });
}

#[test]
fn an_embryo_is_taken_with_two_sockets_alone() {
    is_found(here!("an_embryo_is_taken_with_two_sockets_alone"), "1st 0x10 solock", || {
        take(A, Class::SoLock);
        take(B, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
    });
}

reports!(
    an_embryo_without_its_head,
    {
        take(A, Class::SoLock);
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: A });
    },
    "witness: embryo locked without its listening socket (0x20)
     #0 take_by(C, Class::SoLock, Edge::Embryo { head: B, client: A });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

reports!(
    an_embryo_with_nothing_held,
    {
        take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
    },
    "witness: embryo locked without its listening socket (0x20)
     #0 take_by(C, Class::SoLock, Edge::Embryo { head: B, client: 0 });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);

#[test]
fn another_lock_is_taken_with_the_own_one_alone() {
    is_found(here!("another_lock_is_taken_with_the_own_one_alone"), "1st 0x20 solock", || {
        take(A, Class::SoLock);
        take(B, Class::SoLock);
        take_by(C, Class::UnpLock, Edge::Switch { from: A });
    });
}

#[test]
fn a_switch_leads_to_the_lock_of_many() {
    is_found(here!("a_switch_leads_to_the_lock_of_many"), "2nd 0x10 solock", || {
        take(B, Class::SoLock);
        take_by(A, Class::SoLock, Edge::Switch { from: B });
    });
}

#[test]
fn a_switch_leaves_the_lock_of_a_socket() {
    is_found(here!("a_switch_leaves_the_lock_of_a_socket"), "1st 0x10 pool", || {
        take(A, Class::Pool);
        take_by(B, Class::UnpLock, Edge::Switch { from: A });
    });
}

reports!(
    a_switch_without_the_own_lock,
    {
        take_by(C, Class::UnpLock, Edge::Switch { from: A });
    },
    "witness: socket given another lock without its own (0x10)
     #0 take_by(C, Class::UnpLock, Edge::Switch { from: A });
     panic: witness_checkorder  (operation none, backend none, thread 0)"
);
