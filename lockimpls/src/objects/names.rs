//! The names that sockets are bound to: the file system, as far as unix(4) sees it.
//!
//! A name is found under the table's lock and then locked itself, as namei(9) returns a locked
//! vnode. A name's lock comes before the locks of sockets, so a request drops its socket's lock
//! before it asks for a name. The name's pointer to its socket is guarded by the name's lock, not
//! the socket's: a lock inside an object cannot guard the pointer by which the object is found.

use std::collections::HashMap;
use std::marker::PhantomData;

use crate::domain::{PoolUse, SockAddr};
use crate::errno::Errno;
use crate::fault::{Fault, Step};
use crate::guarded::Guarded;
use crate::objects::pool::Count;
use crate::objects::socket::{SockRef, Socket};
use crate::primitives::{AtomicPtr, Ordering, RawMutex};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

use Ordering::Relaxed;

/// One name.
struct Vnode<L, R: RawMutex> {
    i_lock: RwLock<R>,
    /// `v_socket`. Under `i_lock`.
    v_socket: AtomicPtr<Socket<L>>,
}

/// What the table's lock guards.
struct Table {
    by_name: HashMap<SockAddr, usize>,
    /// References to each vnode: its name, the socket bound to it, requests under way.
    refs: Vec<u32>,
    free: Vec<usize>,
}

impl Table {
    /// The vnode of a name, with a reference more.
    fn lookup(&mut self, name: &SockAddr) -> Option<usize> {
        let vnode = self.by_name.get(name).copied()?;
        self.refs[vnode] += 1;
        Some(vnode)
    }

    /// A vnode for a new name, with two references: the name's own, and that of the socket to be
    /// bound.
    fn create(&mut self, name: &SockAddr) -> Result<usize, Errno> {
        if name.is_unnamed() {
            return Err(Errno::Enoent);
        }
        if self.by_name.contains_key(name) {
            return Err(Errno::Eaddrinuse);
        }
        let vnode = self.free.pop().ok_or(Errno::Enospc)?;
        self.by_name.insert(*name, vnode);
        self.refs[vnode] = 2;
        Ok(vnode)
    }

    /// Drops a reference; a vnode without any is free again.
    fn drop_ref(&mut self, vnode: usize) {
        self.refs[vnode] -= 1;
        if self.refs[vnode] == 0 {
            self.free.push(vnode);
        }
    }
}

/// All names of a layer.
pub(crate) struct Names<L, F, R: RawMutex = DefaultRaw> {
    table: Guarded<Table, R>,
    vnodes: Box<[Vnode<L, R>]>,
    /// Vnodes that sockets are bound to.
    pub(crate) bound: Count,
    fault: PhantomData<F>,
}

/// A name found and locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockedName(pub(crate) usize);

impl<L, F: Fault, R: RawMutex> Names<L, F, R> {
    /// Room for `max` names, all of it taken from the system now.
    pub(crate) fn new(max: usize) -> Self {
        let vnode = || Vnode {
            i_lock: RwLock::new(Class::Vnode),
            v_socket: AtomicPtr::new(std::ptr::null_mut()),
        };
        let table = Table {
            by_name: HashMap::with_capacity(2 * max),
            refs: vec![0; max],
            free: (0..max).rev().collect(),
        };
        Self {
            table: Guarded::new(RwLock::new(Class::Names), table),
            vnodes: (0..max).map(|_| vnode()).collect(),
            bound: Count::new(),
            fault: PhantomData,
        }
    }

    /// Finds a name and locks it: ENOENT where there is none, and none is empty (namei(9)). Ended
    /// by [`Names::put`].
    #[track_caller]
    pub(crate) fn lookup(&self, name: &SockAddr) -> Result<LockedName, Errno> {
        self.table.enter();
        let found = self.table.with(|table| table.lookup(name));
        self.table.exit();
        let vnode = found.ok_or(Errno::Enoent)?;
        self.vnodes[vnode].i_lock.enter();
        Ok(LockedName(vnode))
    }

    /// Makes a name and locks it: EADDRINUSE where it is taken. The reference is that of the socket
    /// to be bound: ended by [`Names::vop_unlock`].
    #[track_caller]
    pub(crate) fn create(&self, name: &SockAddr) -> Result<LockedName, Errno> {
        self.table.enter();
        let made = self.table.with(|table| table.create(name));
        let vnode = match made {
            Ok(vnode) => vnode,
            Err(errno) => {
                self.table.exit();
                return Err(errno);
            }
        };
        self.vnodes[vnode].i_lock.enter();
        self.table.exit();
        Ok(LockedName(vnode))
    }

    /// `VOP_UNLOCK`: unlocks a name.
    #[track_caller]
    pub(crate) fn vop_unlock(&self, name: LockedName) {
        self.vnodes[name.0].i_lock.exit();
    }

    /// `vput`: unlocks a name and drops the request's reference.
    #[track_caller]
    pub(crate) fn put(&self, name: LockedName) {
        self.vop_unlock(name);
        self.rele(name.0);
    }

    /// Drops a reference; a name that is unlinked and unused is free again.
    fn rele(&self, vnode: usize) {
        self.table.enter();
        self.table.with(|table| table.drop_ref(vnode));
        self.table.exit();
    }

    /// unlink(2): takes the name out of the table. ENOENT where there is none.
    pub(crate) fn unlink(&self, name: &SockAddr) -> Result<(), Errno> {
        self.table.enter();
        let vnode = self.table.with(|table| table.by_name.remove(name));
        self.table.exit();
        self.rele(vnode.ok_or(Errno::Enoent)?);
        Ok(())
    }

    /// The socket bound to a locked name.
    pub(crate) fn socket(&self, name: LockedName) -> Option<SockRef<L>> {
        let vnode = &self.vnodes[name.0];
        vnode.i_lock.assert_mine();
        // Relaxed: `i_lock` orders it.
        SockRef::from_pointer(vnode.v_socket.load(Relaxed))
    }

    /// Binds a socket to a name that [`Names::create`] made, which took the socket's reference to
    /// it.
    pub(crate) fn bind(&self, name: LockedName, socket: &Socket<L>) {
        let vnode = &self.vnodes[name.0];
        vnode.i_lock.assert_mine();
        vnode.v_socket.store(std::ptr::from_ref(socket).cast_mut(), Relaxed);
        self.bound.get();
    }

    /// Detach: the name leads to no socket any more, and the socket gives back its reference. No
    /// socket is locked.
    #[track_caller]
    pub(crate) fn unbind(&self, vnode: usize) {
        if !F::omits(Step::NameLock) {
            self.vnodes[vnode].i_lock.enter();
        }
        self.vnodes[vnode].v_socket.store(std::ptr::null_mut(), Relaxed);
        if !F::omits(Step::NameLock) {
            self.vnodes[vnode].i_lock.exit();
        }
        self.rele(vnode);
        self.bound.put();
    }

    pub(crate) fn row(&self) -> PoolUse {
        self.bound.row("vnode")
    }
}
