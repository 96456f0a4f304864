//! The names of one layer: files in a private directory, which goes with it.

use std::ffi::OsStr;
use std::mem::{offset_of, size_of, zeroed};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libc::{sockaddr_un, socklen_t};

use super::answer::last_errno;
use crate::domain::SockAddr;
use crate::errno::Errno;
use crate::primitives::Mutex;

/// The longest TMPDIR that leaves room for names in `sun_path`.
const BASE_MAX: usize = 64;

/// The directory, and the names in it that are no file names.
pub(super) struct Names {
    /// Made for the first name, or not at all; without a slash at the end.
    directory: OnceLock<Result<Vec<u8>, Errno>>,
    /// Number `i` is the file `+i`.
    numbered: Mutex<Vec<SockAddr>>,
}

/// A socket address as the machine wants it.
pub(super) struct Address {
    pub(super) un: sockaddr_un,
    pub(super) len: socklen_t,
}

impl Address {
    /// Room to be filled in by the machine.
    pub(super) fn room() -> Address {
        // SAFETY: a sockaddr_un is integers only, for which all zeroes is a value.
        Address { un: unsafe { zeroed() }, len: size_of::<sockaddr_un>() as socklen_t }
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.un).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.un).cast()
    }

    /// The path without its NUL, empty for an unnamed socket.
    fn path(&self) -> Vec<u8> {
        let len = (self.len as usize).saturating_sub(offset_of!(sockaddr_un, sun_path));
        let bytes = self.un.sun_path.iter().take(len).map(|byte| *byte as u8);
        bytes.take_while(|byte| *byte != 0).collect()
    }
}

/// Where private directories are made: TMPDIR, where that is short enough for a socket's path.
pub(super) fn base() -> PathBuf {
    let asked = std::env::temp_dir();
    let short = asked.is_absolute() && asked.as_os_str().len() <= BASE_MAX;
    if short { asked } else { PathBuf::from("/tmp") }
}

/// Makes the private directory.
fn make_directory() -> Result<Vec<u8>, Errno> {
    let mut directory = base().join("solock-XXXXXX").as_os_str().as_bytes().to_vec();
    directory.push(0);
    // SAFETY: mkdtemp changes the six X before the NUL of this buffer, which is ours.
    if unsafe { libc::mkdtemp(directory.as_mut_ptr().cast()) }.is_null() {
        return Err(last_errno());
    }
    directory.pop();
    Ok(directory)
}

impl Names {
    /// No names yet.
    pub(super) fn new() -> Names {
        Names { directory: OnceLock::new(), numbered: Mutex::new(Vec::new()) }
    }

    fn directory(&self) -> Result<&[u8], Errno> {
        self.directory.get_or_init(make_directory).as_deref().map_err(|errno| *errno)
    }

    fn numbered(&self) -> std::sync::MutexGuard<'_, Vec<SockAddr>> {
        self.numbered.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The address that stands for a name.
    pub(super) fn address(&self, name: &SockAddr) -> Result<Address, Errno> {
        if name.is_unnamed() {
            return Err(Errno::Einval);
        }
        let directory = self.directory()?;
        let mut address = Address::room();
        let room = address.un.sun_path.len() - directory.len() - 1;
        let plain = name.path().len() < room
            && !matches!(name.path()[0], b'+' | b'.')
            && !name.path().iter().any(|byte| matches!(byte, b'/' | 0));
        let number = if plain { Vec::new() } else { self.number(name) };
        let file = if plain { name.path() } else { &number };
        let path = directory.iter().chain(b"/").chain(file);
        for (to, from) in address.un.sun_path.iter_mut().zip(path) {
            *to = *from as libc::c_char;
        }
        address.un.sun_family = libc::AF_UNIX as libc::sa_family_t;
        Ok(address)
    }

    /// The file of a name that cannot be a file's name itself.
    fn number(&self, name: &SockAddr) -> Vec<u8> {
        let mut numbered = self.numbered();
        let known = numbered.iter().position(|other| other == name);
        let number = known.unwrap_or_else(|| {
            numbered.push(*name);
            numbered.len() - 1
        });
        format!("+{number}").into_bytes()
    }

    /// The name that an address of the machine stands for.
    pub(super) fn name(&self, address: &Address) -> SockAddr {
        let path = address.path();
        let directory = match self.directory.get() {
            Some(Ok(directory)) if !path.is_empty() => directory.as_slice(),
            _ => return SockAddr::UNNAMED,
        };
        let file = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix(b"/"));
        let file = file.unwrap_or(&path);
        let Some(number) = file.strip_prefix(b"+") else {
            return SockAddr::new(file).unwrap_or(SockAddr::UNNAMED);
        };
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        let known = number.and_then(|at: usize| self.numbered().get(at).copied());
        known.unwrap_or(SockAddr::UNNAMED)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        if let Some(Ok(directory)) = self.directory.get() {
            // What cannot be removed is left to whoever cleans the temporary directory.
            let _ = std::fs::remove_dir_all(Path::new(OsStr::from_bytes(directory)));
        }
    }
}
