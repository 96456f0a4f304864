//! Streams in pairs, spread over shards: a lock for each shard.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use solock::seam::*;

/// What each open end has to read. The numbers of a pair's ends differ in the last bit.
type Ends = HashMap<u32, VecDeque<u8>>;
pub struct Sharded([Guarded<Ends>; 16], AtomicU32);

impl Sharded {
    /// Does it with the end's shard locked; again where it would block, if it waits.
    fn on<T>(&self, s: u32, waits: bool, mut f: impl FnMut(&mut Ends) -> Answer<T>) -> Answer<T> {
        let shard = &self.0[s as usize / 2 % 16];
        loop {
            shard.enter();
            let answer = shard.with(&mut f);
            shard.exit();
            match answer {
                Err(Errno::Ewouldblock) if waits => std::thread::yield_now(),
                answer => return answer,
            }
        }
    }
}

impl Domain for Sharded {
    type Sock = Fd;
    const NAME: &'static str = "sharded";
    const ABOUT: &'static str = "streams, a lock for each of sixteen shards";
    fn new(config: &Config) -> Answer<Self> {
        // Its calls give up the processor while they wait, and never park.
        (config.wait != WaitStrategy::Park).then_some(()).ok_or(Errno::Einval)?;
        Ok(Sharded([0; 16].map(|_| Guarded::new(RwLock::new(Class::Own1), Ends::new())), 0.into()))
    }
    fn socketpair(&self, kind: SockType) -> Answer<(Fd, Fd)> {
        (kind == SockType::Stream).then_some(()).ok_or(Errno::Eopnotsupp)?;
        let s = self.1.fetch_add(2, Relaxed);
        self.on(s, false, |ends| Ok(ends.extend([s, s + 1].map(|s| (s, VecDeque::new())))))?;
        Ok([s, s + 1].map(|number| Fd { number, generation: 0 }).into())
    }
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Answer<usize> {
        (msg.to.is_none() && msg.rights.is_empty()).then_some(()).ok_or(Errno::Eopnotsupp)?;
        self.on(s.number, !msg.flags.contains(MsgFlags::DONTWAIT), |ends| {
            ends.get(&s.number).ok_or(Errno::Ebadf)?;
            let peer = ends.get_mut(&(s.number ^ 1)).ok_or(Errno::Epipe)?;
            let taken = peer.write(&msg.data[..msg.data.len().min(8192 - peer.len())]).unwrap_or(0);
            if taken > 0 || msg.data.is_empty() { Ok(taken) } else { Err(Errno::Ewouldblock) }
        })
    }
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Answer<usize> {
        self.on(s.number, !msg.flags.contains(MsgFlags::DONTWAIT), |ends| {
            let has_peer = ends.contains_key(&(s.number ^ 1));
            let queue = ends.get_mut(&s.number).ok_or(Errno::Ebadf)?;
            let (taken, none) = (queue.read(msg.data).unwrap_or(0), msg.data.is_empty());
            if taken > 0 || none || !has_peer { Ok(taken) } else { Err(Errno::Ewouldblock) }
        })
    }
    fn close(&self, s: Fd) -> Answer<()> {
        self.on(s.number, false, |ends| ends.remove(&s.number).map(drop).ok_or(Errno::Ebadf))
    }
    fn pools(&self) -> Vec<PoolUse> {
        let open = |s| self.on(s, false, |ends| Ok(ends.len() as u64)).unwrap_or(0);
        // In this order: what is in a shard was counted before, so that there are never fewer.
        let (in_use, requests) = ((0..16).map(|s| open(2 * s)).sum(), self.1.load(Relaxed).into());
        vec![PoolUse { name: "end", in_use, requests, releases: requests - in_use }]
    }
}
