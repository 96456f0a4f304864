//! The descriptor table: what a caller's descriptor refers to.
//!
//! A descriptor is a place in the table and the place's generation, which grows when it is closed:
//! a stale one is recognised, never taken for its successor. A request reads its place without the
//! table's lock, locks the socket it finds there, and asks again under that lock
//! (`Locked::solock_fd`): memory of sockets is never anything else, so the lock is a lock whatever
//! happened meanwhile. `fdplock` guards allocation and release alone.

use crate::domain::PoolUse;
use crate::errno::Errno;
use crate::guarded::Guarded;
use crate::objects::pool::Count;
use crate::objects::socket::{SockRef, Socket};
use crate::primitives::{AtomicPtr, AtomicU32, Ordering, RawMutex};
use crate::sync::{DefaultRaw, RwLock};
use crate::witness::Class;

pub(crate) use crate::domain::Fd;

use Ordering::{Acquire, Relaxed, Release};

struct Place<L> {
    /// Grows when the descriptor is closed. Written under `fdplock`.
    generation: AtomicU32,
    /// The socket, null until it is installed; stale after the close.
    socket: AtomicPtr<Socket<L>>,
}

/// A descriptor and its place.
pub(crate) struct PlaceOf<'a, L> {
    place: &'a Place<L>,
    generation: u32,
}

impl<L> PlaceOf<'_, L> {
    /// The socket there, whether or not the descriptor is still open.
    #[inline(always)]
    pub(crate) fn socket(&self) -> Option<SockRef<L>> {
        // Acquire; pairs with the Release in `install`.
        SockRef::from_pointer(self.place.socket.load(Acquire))
    }

    /// Whether the descriptor is open.
    #[inline(always)]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire; pairs with the Release in `release`.
        self.place.generation.load(Acquire) == self.generation
    }
}

/// The table.
pub(crate) struct Descriptors<L, R: RawMutex = DefaultRaw> {
    /// With the free places.
    fdplock: Guarded<Vec<u32>, R>,
    places: Box<[Place<L>]>,
    count: Count,
    /// `numfiles`: never more than there are places.
    files: Count,
}

impl<L, R: RawMutex> Descriptors<L, R> {
    pub(crate) fn new(max: usize) -> Self {
        let place = || Place {
            generation: AtomicU32::new(0),
            socket: AtomicPtr::new(std::ptr::null_mut()),
        };
        Self {
            fdplock: Guarded::new(RwLock::new(Class::Fdplock), (0..max as u32).rev().collect()),
            places: (0..max).map(|_| place()).collect(),
            count: Count::new(),
            files: Count::new(),
        }
    }

    /// `fdplock`, for passing descriptors.
    #[track_caller]
    pub(crate) fn enter(&self) {
        self.fdplock.enter();
    }

    #[track_caller]
    pub(crate) fn exit(&self) {
        self.fdplock.exit();
    }

    /// Ends the process with a report unless the calling thread holds `fdplock`.
    #[track_caller]
    pub(crate) fn assert_locked(&self) {
        self.fdplock.assert_mine();
    }

    /// `falloc`: a place that refers to a file of nothing yet.
    pub(crate) fn falloc(&self) -> Result<Fd, Errno> {
        self.enter();
        let fd = self.falloc_locked();
        self.exit();
        fd
    }

    /// `falloc` with `fdplock` held: EMFILE when there is no place, then ENFILE when there are too
    /// many files, which those in flight are, too (`kern_descrip.c` 1.205, lines 917 and 1028).
    fn falloc_locked(&self) -> Result<Fd, Errno> {
        let fd = self.allocate_locked()?;
        if self.files.get_up_to(self.places.len()) {
            return Ok(fd);
        }
        self.fdremove(fd);
        Err(Errno::Enfile)
    }

    /// `fdremove` and `closef` of what [`Descriptors::falloc`] made.
    pub(crate) fn ffree(&self, fd: Fd) {
        let nothing = self.release(fd);
        debug_assert!(matches!(nothing, Ok(None)));
        self.fdrop();
    }

    /// `fdrop`: a file is gone.
    pub(crate) fn fdrop(&self) {
        self.files.put();
    }

    /// `falloc` and `fdinsert` in one hold of `fdplock`: a descriptor of a socket that is ready.
    pub(crate) fn allocate_for(&self, socket: SockRef<L>) -> Result<Fd, Errno> {
        self.enter();
        let fd = self.falloc_locked().inspect(|fd| self.install_first(*fd, socket));
        self.exit();
        fd
    }

    /// [`Descriptors::allocate_for`] for two sockets: both get a descriptor, or neither. With the
    /// error comes whether there was one for the first.
    pub(crate) fn allocate_pair_for(
        &self,
        socket: SockRef<L>,
        socket2: SockRef<L>,
    ) -> Result<(Fd, Fd), (Errno, bool)> {
        self.enter();
        let fds = self.allocate_two();
        if let Ok((fd, fd2)) = fds {
            self.install_first(fd, socket);
            self.install_first(fd2, socket2);
        }
        self.exit();
        fds
    }

    fn allocate_two(&self) -> Result<(Fd, Fd), (Errno, bool)> {
        let fd = self.falloc_locked().map_err(|errno| (errno, false))?;
        let fd2 = self.falloc_locked().map_err(|errno| {
            self.fdremove(fd);
            self.fdrop();
            (errno, true)
        })?;
        Ok((fd, fd2))
    }

    /// `fdalloc` with `fdplock` held: a place that refers to nothing yet. EMFILE when there is
    /// none.
    pub(crate) fn allocate_locked(&self) -> Result<Fd, Errno> {
        let place = self.fdplock.with(Vec::pop).ok_or(Errno::Emfile)?;
        self.count.get();
        let generation = self.places[place as usize].generation.load(Relaxed);
        Ok(Fd { number: place, generation })
    }

    /// How many descriptors can still be made. `fdplock` is held.
    pub(crate) fn room(&self) -> usize {
        self.fdplock.with(|free| free.len())
    }

    /// `fdinsert` of a file that is new, with `fdplock` held: its first descriptor.
    pub(crate) fn insert(&self, fd: Fd, socket: SockRef<L>) {
        self.enter();
        self.install_first(fd, socket);
        self.exit();
    }

    /// [`Descriptors::install`] of a file that is new: this is the one reference on it.
    fn install_first(&self, fd: Fd, socket: SockRef<L>) {
        // Release; pairs with the Acquire in `Socket::fref`: who counts itself on this file sees
        // that the one before it at this place in memory has no descriptor any more.
        socket.f_count.store(1, Release);
        self.install(fd, socket);
    }

    /// Makes a new descriptor refer to a socket.
    pub(crate) fn install(&self, fd: Fd, socket: SockRef<L>) {
        let pointer = std::ptr::from_ref::<Socket<L>>(&socket).cast_mut();
        // Release; pairs with the Acquire in `find`: the socket is ready.
        self.places[fd.number as usize].socket.store(pointer, Release);
    }

    /// `fdrelease`: closes the descriptor; what it referred to. The second of two closers gets
    /// EBADF.
    pub(crate) fn release(&self, fd: Fd) -> Result<Option<SockRef<L>>, Errno> {
        self.enter();
        if !self.is_open(fd) {
            self.exit();
            return Err(Errno::Ebadf);
        }
        let socket = self.fdremove(fd);
        self.exit();
        Ok(socket)
    }

    /// `fdremove` with `fdplock` held: an open descriptor is open no more; what it referred to.
    fn fdremove(&self, fd: Fd) -> Option<SockRef<L>> {
        let place = &self.places[fd.number as usize];
        let socket = place.socket.swap(std::ptr::null_mut(), Acquire);
        // Release; pairs with the Acquire in `is_open`.
        place.generation.store(fd.generation.wrapping_add(1), Release);
        self.fdplock.with(|free| free.push(fd.number));
        self.count.put();
        SockRef::from_pointer(socket)
    }

    fn place(&self, fd: Fd) -> Option<&Place<L>> {
        self.place_of(fd).filter(PlaceOf::is_open).map(|at| at.place)
    }

    #[inline(always)]
    fn place_of(&self, fd: Fd) -> Option<PlaceOf<'_, L>> {
        let place = self.places.get(fd.number as usize)?;
        Some(PlaceOf { place, generation: fd.generation })
    }

    /// The descriptor's place and the socket there, whether or not the descriptor is still open.
    #[inline(always)]
    pub(crate) fn look(&self, fd: Fd) -> Result<(PlaceOf<'_, L>, SockRef<L>), Errno> {
        let place = self.place_of(fd).ok_or(Errno::Ebadf)?;
        let socket = place.socket().ok_or(Errno::Ebadf)?;
        Ok((place, socket))
    }

    /// The socket at the descriptor's place, whether or not the descriptor is still open.
    #[inline]
    pub(crate) fn find(&self, fd: Fd) -> Result<SockRef<L>, Errno> {
        self.look(fd).map(|(_, socket)| socket)
    }

    /// Whether the descriptor is open.
    #[inline]
    pub(crate) fn is_open(&self, fd: Fd) -> bool {
        self.place(fd).is_some()
    }

    pub(crate) fn row(&self) -> PoolUse {
        self.count.row("fd")
    }

    pub(crate) fn file_row(&self) -> PoolUse {
        self.files.row("file")
    }
}
