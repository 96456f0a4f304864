//! One program in many layouts: the same machine code, its functions in other orders.
//!
//! Where a function lies decides which lines of the caches and which entries of the branch
//! predictor it shares with others, and is worth some percent: two links of the same code are two
//! draws (Mytkowicz et al., ASPLOS 2009; Curtsinger and Berger, ASPLOS 2013). A commit that changes
//! one function moves all behind it, so with one link a side, luck would be taken for the commit's
//! doing. So every process of a pair runs a program that was [linked](super::link) for it alone, in
//! an order that chance decides: this luck is drawn anew for each pair, as that of the stack and
//! the heap is, and pairs stay independent however many there are.
//!
//! Links are made before the processes of a pair start: nothing is linked beside a slice. With a
//! linker that cannot do it there is one layout, and that is said.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::link::Link;

/// The name of every program.
pub const PROGRAM: &str = "solock";
/// What it is linked from.
const OBJECT: &str = "program.o";
/// How.
const LINK: &str = "link.json";

/// A side's program, and how to link it in other layouts.
#[derive(Clone, Debug)]
pub struct Layouts {
    first: PathBuf,
    again: Option<Again>,
}

#[derive(Clone, Debug)]
struct Again {
    object: PathBuf,
    link: Link,
    folder: Arc<Folder>,
}

impl Layouts {
    /// A program that has one layout.
    #[must_use]
    pub fn one(program: PathBuf) -> Layouts {
        Layouts { first: program, again: None }
    }

    /// The program that is kept in a folder, if one is; its other layouts are linked in `scratch`.
    #[must_use]
    pub fn kept(folder: &Path, scratch: &Arc<Folder>) -> Option<Layouts> {
        let first = folder.join(PROGRAM);
        let object = folder.join(OBJECT);
        let link = fs::read(folder.join(LINK)).ok();
        let link = link.and_then(|text| serde_json::from_slice(&text).ok());
        let again = link.map(|link| Again { object, link, folder: Arc::clone(scratch) });
        first.is_file().then_some(Layouts { first, again })
    }

    /// The program as cargo linked it.
    #[must_use]
    pub fn first(&self) -> &Path {
        &self.first
    }

    /// Whether there are others.
    #[must_use]
    pub fn are_many(&self) -> bool {
        self.again.is_some()
    }

    /// Links a layout that chance decides, for the process at that place of a pair; the one before
    /// it at that place is gone then. Paths are of the same length, whatever the side and the
    /// place.
    ///
    /// # Errors
    /// The linker says no.
    pub fn draw(&self, place: usize, seed: u32) -> Result<PathBuf, String> {
        let Some(Again { object, link, folder }) = &self.again else {
            return Ok(self.first.clone());
        };
        let program = folder.place(place)?.join(PROGRAM);
        link.program(object, seed, &program)?;
        Ok(program)
    }
}

/// Both sides' programs as they are measured: in many layouts, or each in its first. If one alone
/// had many, the other's luck would be in every pair, and the pairs would agree on it.
#[must_use]
pub fn alike(sides: [&Layouts; 2]) -> [Layouts; 2] {
    let are_many = sides.iter().all(|side| side.are_many());
    sides.map(|side| if are_many { side.clone() } else { Layouts::one(side.first.clone()) })
}

/// Keeps what a program's other layouts are linked from in a folder, and tries it out there.
///
/// # Errors
/// The linker cannot, or the folder cannot be written.
pub fn keep(printed: &str, folder: &Path) -> Result<(), String> {
    let (link, inputs) = Link::read(printed).ok_or("the linker's command is not understood")?;
    let failed = |error: io::Error| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let (object, tried) = (folder.join(OBJECT), folder.join("tried"));
    link.object(&inputs, &object)?;
    link.program(&object, 1, &tried)?;
    fs::remove_file(tried).map_err(failed)?;
    let text = serde_json::to_vec(&link).map_err(|error| error.to_string())?;
    fs::write(folder.join(LINK), text).map_err(failed)
}

/// Puts what [`keep`] kept into another folder too, if it did. It is the same file there, as no
/// file is ever written over.
///
/// # Errors
/// A folder cannot be read or written.
pub fn share(from: &Path, to: &Path) -> io::Result<()> {
    if !from.join(LINK).is_file() {
        return Ok(());
    }
    [OBJECT, LINK].iter().try_for_each(|file| {
        let (from, to) = (from.join(file), to.join(file));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(from, to).map(|_| ()))
    })
}

/// Where the layouts of a comparison lie; gone with it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// This process's folder, beside those of others. What processes left that ended without a
    /// chance to tidy up is removed, also of one that had this one's number.
    #[must_use]
    pub fn of_this_process(all: &Path) -> Folder {
        let own = std::process::id();
        for entry in fs::read_dir(all).into_iter().flatten().flatten() {
            let process = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if process.is_none_or(|process: i32| process as u32 == own || !is_alive(process)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Folder(all.join(own.to_string()))
    }

    fn place(&self, number: usize) -> Result<PathBuf, String> {
        let folder = self.0.join(number.to_string());
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot write to {}: {error}", folder.display()))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a process of that number runs.
fn is_alive(process: i32) -> bool {
    let Some(process) = rustix::process::Pid::from_raw(process) else { return false };
    rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_comparison_left_is_removed_and_what_runs_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = std::process::Command::new("true").spawn().and_then(|mut child| {
            child.wait()?;
            Ok(child.id())
        });
        let [dead, alive] = [ended.expect("ran"), std::os::unix::process::parent_id()]
            .map(|process| folder.path().join(process.to_string()));
        let own = folder.path().join(std::process::id().to_string());
        [&dead, &alive, &own].iter().for_each(|left| fs::create_dir(left).expect("made"));
        let held = Folder::of_this_process(folder.path());
        assert!(!dead.exists() && alive.exists() && !own.exists());
        let [first, second] = [0, 1].map(|place| held.place(place).expect("made"));
        assert!(first.is_dir() && second.is_dir() && first != second && first.starts_with(&own));
        drop(held);
        assert!(alive.exists() && !own.exists(), "gone with the comparison");
    }

    #[test]
    fn one_side_with_one_layout_leaves_the_other_one_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = Arc::new(Folder::of_this_process(folder.path()));
        let again = Again { object: "o".into(), link: Link::default(), folder: scratch };
        let many = Layouts { first: "many".into(), again: Some(again) };
        let one = Layouts::one("one".into());
        for sides in [[&many, &one], [&one, &many], [&one, &one]] {
            let alike = alike(sides);
            assert!(alike.iter().all(|side| !side.are_many()));
            assert_eq!(alike.map(|side| side.draw(0, 1)), sides.map(|side| Ok(side.first.clone())));
        }
        assert!(alike([&many, &many]).iter().all(Layouts::are_many));
    }

    #[test]
    fn what_is_shared_is_the_same_file_and_nothing_where_nothing_was_kept() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        fs::write(from.path().join(OBJECT), "code").expect("written");
        share(from.path(), to.path()).expect("nothing to share");
        assert_eq!(fs::read_dir(to.path()).expect("readable").count(), 0);
        fs::write(from.path().join(LINK), "words").expect("written");
        share(from.path(), to.path()).expect("shared");
        let read = [OBJECT, LINK].map(|file| fs::read_to_string(to.path().join(file)).ok());
        assert_eq!(read, [Some("code".to_owned()), Some("words".to_owned())]);
    }

    #[test]
    fn a_linker_that_cannot_leaves_one_layout() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(keep(r#""false" "x.o""#, folder.path()).is_err());
        fs::write(folder.path().join(PROGRAM), "first").expect("written");
        let scratch = Arc::new(Folder::of_this_process(&folder.path().join("linked")));
        let layouts = Layouts::kept(folder.path(), &scratch).expect("a program");
        assert!(!layouts.are_many());
        assert_eq!(layouts.draw(0, 1), Ok(folder.path().join(PROGRAM)));
    }
}
