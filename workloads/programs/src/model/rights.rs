//! Descriptors on their way: `unp_internalize`, `unp_externalize`, `unp_discard` and the collector,
//! and what a file is (`kern_descrip.c` 1.205).

use std::collections::BTreeSet;

use lockimpls::Errno;

use super::mbuf::{Content, MCLBYTES, fdpass_space};
use super::{Fd, Id, State};

impl State {
    /// `fdalloc`: room for one more descriptor (kern_descrip.c:885, :917).
    pub(super) fn fdalloc(&self, taken: usize) -> Result<(), Errno> {
        if self.fds.len() + taken < self.limits.files { Ok(()) } else { Err(Errno::Emfile) }
    }

    /// `falloc`: room for one more descriptor and for its file (kern_descrip.c:1007, :1045).
    pub(super) fn falloc(&self, taken: usize) -> Result<(), Errno> {
        self.fdalloc(taken)?;
        let files = self.socks.values().filter(|sock| sock.has_file).count();
        if files + taken < self.limits.files { Ok(()) } else { Err(Errno::Enfile) }
    }

    /// `unp_rights`: how many descriptors are on their way. Those discarded count until the
    /// collector has closed them (uipc_usrreq.c:1301).
    fn unp_rights(&self) -> usize {
        let queued = self.socks.values().flat_map(|sock| sock.rcv.records.iter().flatten());
        self.deferred.len() + queued.map(|m| m.files().len()).sum::<usize>()
    }

    /// `unp_internalize`: the files of descriptors (uipc_usrreq.c:1140).
    pub(super) fn unp_internalize(&self, fds: &[Fd]) -> Result<Vec<Id>, Errno> {
        if self.unp_rights() + fds.len() > self.limits.files / 10 {
            return Err(Errno::Emfile); // :1163
        }
        if fdpass_space(fds.len()) > MCLBYTES {
            return Err(Errno::E2big); // :1174
        }
        fds.iter().map(|fd| self.getsock(*fd)).collect() // :1211
    }

    /// `unp_externalize`: descriptors for files, where there is room for all (uipc_usrreq.c:972).
    pub(super) fn unp_externalize(
        &mut self,
        files: Vec<Id>,
        room: usize,
    ) -> Result<Vec<Fd>, Errno> {
        let has_slots = files.is_empty() || self.fdalloc(files.len() - 1).is_ok();
        if files.len() > room || !has_slots {
            self.unp_discard(&files); // :1132
            return Err(Errno::Emsgsize); // :995, :1064
        }
        Ok(files.into_iter().map(|file| self.fdinsert(file)).collect())
    }

    /// `unp_discard`: the collector closes them (uipc_usrreq.c:1443).
    pub(super) fn unp_discard(&mut self, files: &[Id]) {
        if !files.is_empty() {
            self.deferred.extend(files);
            self.wants_gc = true; // :1457
        }
    }

    /// The end of `unp_detach`: the collector looks, where descriptors are on their way
    /// (uipc_usrreq.c:644).
    pub(super) fn gc_after_detach(&mut self) {
        self.wants_gc |= self.unp_rights() > 0;
    }

    /// `fdrop`, where this was the last reference to the file (kern_descrip.c:1267).
    pub(super) fn frele(&mut self, file: Id) {
        let queued = self.socks.values().flat_map(|sock| sock.rcv.records.iter().flatten());
        let is_held = self.fds.values().chain(&self.deferred).any(|held| *held == file)
            || queued.flat_map(|m| m.files()).any(|held| *held == file);
        if !is_held {
            self.soclose(file);
        }
    }

    /// Runs the collector, if it is wanted, when a call has ended: in the kernel it is a task.
    pub(super) fn settle(&mut self) {
        while std::mem::take(&mut self.wants_gc) {
            self.unp_gc();
        }
    }

    /// `unp_gc` (uipc_usrreq.c:1272): closes what was discarded, then discards what lies in buffers
    /// that nobody can come to.
    fn unp_gc(&mut self) {
        while let Some(file) = self.deferred.pop() {
            self.frele(file); // :1305
        }
        let live = self.reachable();
        let is_dead = |id: &Id| !live.contains(id);
        for id in self.socks.keys().copied().filter(is_dead).collect::<Vec<_>>() {
            let mut found = Vec::new();
            for m in self.sock(id).rcv.records.iter_mut().flatten() {
                if let Content::Control(files, _) = &mut m.content {
                    found.append(files); // :1451
                }
            }
            self.unp_discard(&found); // :1394
        }
    }

    /// What descriptors lead to, directly or through what can still be received (uipc_usrreq.c:1323
    /// to :1378). Unlike the kernel's this looks through a listener's queue.
    fn reachable(&self) -> BTreeSet<Id> {
        let mut live = BTreeSet::new();
        let mut todo: Vec<Id> = self.fds.values().copied().collect();
        while let Some(id) = todo.pop() {
            if live.insert(id)
                && let Some(sock) = self.socks.get(&id)
            {
                todo.extend(&sock.queue);
                todo.extend(sock.rcv.records.iter().flatten().flat_map(|m| m.files()));
            }
        }
        live
    }
}
