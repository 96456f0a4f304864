//! One driver builds at a time: the lock that it holds meanwhile.
//!
//! It lies among what is built, and whoever removes that (`cargo clean`) removes it, too. The next
//! driver then makes another one, and two would build in the same folders. So whoever holds a lock
//! looks, before it puts anything there or takes anything away, whether its lock is still the one
//! that others find.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::Around;

/// How often a lock is tried that somebody else holds.
const NAP: Duration = Duration::from_millis(200);

/// The lock, held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock at that path, in a folder that is made.
    ///
    /// # Errors
    /// The folder cannot be written, or somebody asked for the end.
    pub fn take(path: &Path, around: Around<'_>) -> Result<Lock, String> {
        let folder = path.parent().unwrap_or(path);
        let failed = |error| format!("cannot write to {}: {error}", folder.display());
        loop {
            fs::create_dir_all(folder).map_err(failed)?;
            let file = File::create(path).map_err(failed)?;
            wait_for(&file, around)?;
            let lock = Lock { file, path: path.to_owned() };
            // It may have been removed while another driver held it.
            if lock.is_held() {
                return Ok(lock);
            }
        }
    }

    /// Whether it is the one that others find.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let [own, found] = [self.file.metadata(), fs::metadata(&self.path)]
            .map(|file| file.ok().map(|file| (file.dev(), file.ino())));
        own.is_some() && own == found
    }

    /// The same, as an error.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self) -> Result<(), String> {
        let folder = self.path.parent().unwrap_or(&self.path).display();
        let lost = || format!("{folder} was removed while it was used; compare again");
        if self.is_held() { Ok(()) } else { Err(lost()) }
    }
}

fn wait_for(lock: &File, Around { interrupt, watch }: Around<'_>) -> Result<(), String> {
    let mut told = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(format!("no lock: {error}")),
            Err(TryLockError::WouldBlock) if interrupt.is_set() => return Err("interrupted".into()),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    watch.say("another solock compare is building; waiting for it");
                    told = true;
                }
                thread::sleep(NAP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::compare::progress::Watch;
    use crate::interrupt::Interrupt;

    /// Takes the lock at that path.
    fn take(path: &Path) -> Lock {
        let (interrupt, watch) = (Interrupt::default(), Watch::new());
        Lock::take(path, Around { interrupt: &interrupt, watch: &watch }).expect("taken")
    }

    #[test]
    fn a_lock_that_another_one_holds_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/lock");
        let held = take(&path);
        let (began, wait) = (Instant::now(), Duration::from_millis(100));
        let holder = thread::spawn(move || {
            thread::sleep(wait);
            drop(held);
        });
        let own = take(&path);
        assert!(began.elapsed() >= wait && own.is_held(), "it is free at last");
        let third = File::create(&path).expect("made");
        assert!(matches!(third.try_lock(), Err(TryLockError::WouldBlock)), "held from then on");
        holder.join().expect("ended");
    }

    #[test]
    fn a_lock_that_was_removed_is_not_held_and_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = take(&path);
        first.check().expect("held");
        fs::remove_file(&path).expect("removed");
        assert!(!first.is_held());
        let second = take(&path);
        assert!(second.is_held() && !first.is_held());
        let why = first.check().expect_err("it is another driver's");
        assert!(why.contains("was removed while it was used"), "{why}");
        // One that waits for a lock that is removed meanwhile takes the next one.
        let waiting = {
            let path = path.clone();
            thread::spawn(move || take(&path))
        };
        thread::sleep(Duration::from_millis(100));
        fs::remove_file(&path).expect("removed");
        drop(second);
        assert!(waiting.join().expect("ended").is_held());
    }
}
