//! Socket buffers: `socketvar.h` 1.105, `uipc_socket2.c` 1.125.

use std::collections::VecDeque;

use super::mbuf::{Chain, MAXMCLBYTES, Mbuf};

/// `struct sockbuf`. Of a sender's buffer only the counts are used: they are its peer's, of the
/// moment when either last moved something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Sockbuf {
    /// `sb_hiwat`, bytes.
    pub(super) hiwat: usize,
    /// `sb_lowat`, bytes.
    pub(super) lowat: usize,
    /// `sb_cc`, bytes.
    pub(super) cc: usize,
    /// `sb_mbcnt`: what the mbufs are charged for, bytes.
    pub(super) mbcnt: usize,
    /// `sb_mbmax`: how much they may be.
    mbmax: usize,
    /// From `sb_mb` on. No record is empty.
    pub(super) records: VecDeque<Chain>,
}

impl Sockbuf {
    /// `sbreserve`: sets the size; whether it can be had (uipc_socket2.c:569).
    pub(super) fn reserve(&mut self, size: usize, sb_max: usize) -> bool {
        if size == 0 || size > sb_max {
            return false; // :574
        }
        self.hiwat = size;
        self.mbmax = (3 * MAXMCLBYTES).max(size * 8); // :577
        self.lowat = self.lowat.min(size); // :578
        true
    }

    /// `sbspace`, less than 0 where there is more than may be (socketvar.h:205).
    pub(super) fn space(&self) -> i64 {
        let left = |most: usize, count: usize| most as i64 - count as i64;
        left(self.hiwat, self.cc).min(left(self.mbmax, self.mbcnt))
    }

    /// `sballoc` (socketvar.h:235).
    fn alloc(&mut self, m: &Mbuf) {
        self.cc += m.len();
        self.mbcnt += m.mbcnt();
    }

    /// `sbfree` of the first mbuf, which leaves the buffer (socketvar.h:245).
    pub(super) fn pop(&mut self) -> Option<Mbuf> {
        let record = self.records.front_mut()?;
        let m = record.remove(0);
        if record.is_empty() {
            self.records.pop_front();
        }
        self.cc -= m.len();
        self.mbcnt -= m.mbcnt();
        Some(m)
    }

    /// `sbdroprecord` (uipc_socket2.c:1049).
    pub(super) fn drop_record(&mut self) {
        for m in self.records.pop_front().unwrap_or_default() {
            self.cc -= m.len();
            self.mbcnt -= m.mbcnt();
        }
    }

    /// `sbappend`: to the last record, where its end is not marked (uipc_socket2.c:706).
    pub(super) fn append(&mut self, chain: Chain) {
        match self.records.back() {
            Some(last) if last.iter().any(|m| m.is_eor) => self.append_record(chain), // :723
            Some(_) => self.compress(chain),
            None => {
                self.records.push_back(Chain::new()); // :733
                self.compress(chain);
                self.records.retain(|record| !record.is_empty()); // :927
            }
        }
    }

    /// `sbappendrecord`: a record of its own, which may be of no bytes (uipc_socket2.c:790).
    pub(super) fn append_record(&mut self, mut chain: Chain) {
        let mut rest = chain.split_off(1);
        if let Some(m) = rest.first_mut() {
            m.is_eor |= std::mem::take(&mut chain[0].is_eor); // :809
        }
        self.alloc(&chain[0]);
        self.records.push_back(chain);
        self.compress(rest);
    }

    /// `sbappendaddr`, `sbappendcontrol`: the chain as it is, if it fits (uipc_socket2.c:841,
    /// :889).
    pub(super) fn append_whole(&mut self, chain: Chain) -> bool {
        let len: usize = chain.iter().map(Mbuf::len).sum();
        if len as i64 > self.space() {
            return false;
        }
        chain.iter().for_each(|m| self.alloc(m));
        self.records.push_back(chain);
        true
    }

    /// `sbcompress` behind the last mbuf (uipc_socket2.c:915). The chain is of data.
    fn compress(&mut self, chain: Chain) {
        let Some(last) = self.records.back_mut() else { return };
        let mut eor = false;
        let mut todo = chain.into_iter().peekable();
        while let Some(mut m) = todo.next() {
            eor |= m.is_eor; // :922
            let is_beside_data = match todo.peek() {
                Some(next) => next.is_data(),
                None => last.last().is_some_and(Mbuf::is_data),
            };
            if m.len() == 0 && (!eor || is_beside_data) {
                continue; // :923
            }
            if last.last_mut().is_some_and(|n| n.merges(&m)) {
                self.cc += m.len(); // :941
                continue;
            }
            m.is_eor = false; // :954
            self.cc += m.len();
            self.mbcnt += m.mbcnt();
            last.push(m);
        }
        if eor && let Some(n) = last.last_mut() {
            n.is_eor = true; // :960
        }
    }
}
