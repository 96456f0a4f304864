//! `ticket`: the lock is given in the order of asking. `__mp_lock` of `kern_lock.c` 1.72 (131;
//! `__mp_lock_spin`, 108; `__mp_unlock`, 154) for one that asks once.

#![allow(unsafe_code)]

use super::exclusively::Exclusively;
use super::spin::spin_until;
use crate::domain::Algorithm;
use crate::primitives::{AtomicU32, Ordering, RawLock, RawMutex};

use Ordering::{Acquire, Relaxed, Release};

/// A ticket lock.
pub struct Ticket {
    /// `mpl_users`: the last number handed out.
    users: AtomicU32,
    /// `mpl_ticket`: the number whose turn it is.
    ticket: AtomicU32,
}

impl Ticket {
    /// A number: this thread's turn, which must come.
    #[inline(always)]
    pub(crate) fn ask(&self) -> u32 {
        // Relaxed: a number; what the lock guards is ordered by `ticket`.
        self.users.fetch_add(1, Relaxed).wrapping_add(1)
    }

    /// Whether it is this number's turn.
    #[inline(always)]
    pub(crate) fn is_turn_of(&self, number: u32) -> bool {
        // Acquire; pairs with the Release in `hand_over`: what the last holder did is visible.
        self.ticket.load(Acquire) == number
    }

    /// The calling thread's turn is over; the next one's comes.
    #[inline(always)]
    pub(crate) fn hand_over(&self) {
        // Relaxed load: only the holder writes it. Release; pairs with the Acquire in `is_turn_of`
        // of the thread whose turn comes.
        self.ticket.store(self.ticket.load(Relaxed).wrapping_add(1), Release);
    }
}

// SAFETY: `users` hands out numbers, each once; `ticket` says whose turn it is. Only the thread
// whose turn it is writes `ticket`, at its exit, and makes it one more: so each number has its turn
// once, after the one before it. No other store makes that value, so that the load which lets the
// next one in reads the Release store of that exit. (The value comes again after 2^32 turns; fewer
// threads than that wait.)
unsafe impl RawMutex for Ticket {
    const ALGORITHM: Option<Algorithm> = Some(Algorithm::Ticket);

    type Held = ();
    type Turn = u32;
    type Beside = RawLock;
    type Shared = Exclusively<Self>;

    fn new() -> Self {
        Self { users: AtomicU32::new(0), ticket: AtomicU32::new(1) }
    }

    #[inline(always)]
    fn enter(&self) -> Result<(), u32> {
        let me = self.ask();
        if self.is_turn_of(me) { Ok(()) } else { Err(me) }
    }

    /// No number is asked for that would have to be waited for: it is handed out where its turn is
    /// now, and nowhere else.
    #[inline(always)]
    fn try_enter(&self) -> Option<()> {
        // Acquire; as in `is_turn_of`.
        let turn = self.ticket.load(Acquire);
        // Relaxed; as in `ask`. Where the last number is the one before `turn`, that one is over
        // and nobody has come since; the turn cannot go on from a number that is not handed out.
        let asked = self.users.compare_exchange(turn.wrapping_sub(1), turn, Relaxed, Relaxed);
        asked.is_ok().then_some(())
    }

    fn wait(&self, me: u32, _may_spin: bool) {
        spin_until(|| self.is_turn_of(me));
    }

    #[inline(always)]
    unsafe fn exit(&self, (): ()) {
        self.hand_over();
    }
}
