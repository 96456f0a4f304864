//! The token of a locked socket.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::{SockRef, Socket};

/// A socket that a request has locked, as its policy locks it. The verb that locks lends it, the
/// verb that unlocks takes it, and what the locks guard is reached through it or, where something
/// else keeps the threads apart, by one of the doors at the end of `parts.rs`.
///
/// A verb that may unlock the socket meanwhile (to lock its peer first, to copy, to sleep) wants it
/// by `&mut`: what was read before cannot be used after, or it does not compile. There is no
/// `Drop`: a token that is forgotten is a lock that leaks, which the witness finds when the call
/// returns.
///
/// It does not say which of the socket's locks are held: each access asks the witness. And it is of
/// one socket: one that is its own peer has two, and where one lock guards every socket, the unlock
/// of one ends the hold of all.
#[must_use = "a lock that nobody releases"]
pub(crate) struct Held<L> {
    so: SockRef<L>,
    /// A lock is its thread's, and so is this.
    thread: PhantomData<*const ()>,
}

impl<L> Held<L> {
    /// For the verb that locks this socket, or is about to.
    #[inline(always)]
    pub(crate) fn of(so: &Socket<L>) -> Self {
        Self { so: SockRef::new(so), thread: PhantomData }
    }

    /// Lends it to a function that is not compiled into its caller, as `&mut so.lent()`. If its own
    /// address went there, it could not stay in a register on the way that does not go there, which
    /// is 7 to 18 instructions of a receive.
    #[inline(always)]
    pub(crate) fn lent(&mut self) -> Lent<'_, L> {
        Lent { held: Self::of(&self.so), lender: PhantomData }
    }

    /// Which socket it is: a pointer that outlives the token, and leads to nothing that a lock
    /// guards.
    #[inline(always)]
    pub(crate) fn socket(&self) -> SockRef<L> {
        self.so
    }
}

/// A token for as long as a call lasts. The one it is of is borrowed meanwhile.
pub(crate) struct Lent<'a, L> {
    held: Held<L>,
    lender: PhantomData<&'a mut Held<L>>,
}

impl<L> Deref for Lent<'_, L> {
    type Target = Held<L>;

    #[inline(always)]
    fn deref(&self) -> &Held<L> {
        &self.held
    }
}

impl<L> DerefMut for Lent<'_, L> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Held<L> {
        &mut self.held
    }
}

/// What of the socket no lock guards.
impl<L> Deref for Held<L> {
    type Target = Socket<L>;

    #[inline(always)]
    fn deref(&self) -> &Socket<L> {
        &self.so
    }
}
