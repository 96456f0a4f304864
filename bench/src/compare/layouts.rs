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

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::digits::digits;
use super::link::Link;

/// The name of every program.
pub const PROGRAM: &str = "solock";
/// What it is linked from.
const OBJECT: &str = "program.o";
/// How, and which program.
const LINK: &str = "link.json";
/// A layout that is linked to see whether that can be done.
const TRIED: &str = "tried";

/// What is known of a program that was built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Linked {
    /// Its digits.
    of: String,
    /// How its other layouts are linked, or why this linker makes none.
    how: Result<Link, String>,
}

/// A side's program, and how to link it in other layouts.
#[derive(Clone, Debug)]
pub struct Layouts {
    first: PathBuf,
    again: Option<Again>,
    /// Why there is one, if it is known.
    why_one: Option<String>,
    /// Its folder, with a lock that others have, too: while anybody has it, it is not removed.
    _held: Option<Arc<File>>,
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
        Layouts { first: program, again: None, why_one: None, _held: None }
    }

    /// The program in a folder in which no other layouts could be made, and why.
    #[must_use]
    pub fn without_others(folder: &Path, why: String) -> Layouts {
        let one = Layouts::one(folder.join(PROGRAM));
        Layouts { why_one: Some(why), _held: hold(folder), ..one }
    }

    /// The program that is kept in a folder, if one is, with all that is known of it; its other
    /// layouts are linked in `scratch`.
    #[must_use]
    pub fn kept(folder: &Path, scratch: &Arc<Folder>) -> Option<Layouts> {
        let first = Some(folder.join(PROGRAM)).filter(|first| first.is_file())?;
        let object = folder.join(OBJECT);
        Some(match Linked::read(folder)?.how {
            Ok(link) => {
                let again = Again { object, link, folder: Arc::clone(scratch) };
                Layouts { again: Some(again), _held: hold(folder), ..Layouts::one(first) }
            }
            Err(why) => Layouts::without_others(folder, why),
        })
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

    /// Why there are no others, where that is known.
    #[must_use]
    pub fn why_one(&self) -> Option<&str> {
        self.why_one.as_deref()
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
        link.program(object, Some(seed), &program)?;
        Ok(program)
    }
}

/// Keeps a folder from being removed; where locks are unknown nothing does.
fn hold(folder: &Path) -> Option<Arc<File>> {
    let folder = File::open(folder).ok()?;
    folder.try_lock_shared().ok()?;
    Some(Arc::new(folder))
}

/// Removes a folder, unless somebody has the program that is kept there; whether it is gone.
#[must_use]
pub fn remove_unless_held(folder: &Path) -> bool {
    let lock = File::open(folder).ok().filter(|folder| folder.try_lock().is_ok());
    lock.is_some() && fs::remove_dir_all(folder).is_ok()
}

/// Both sides' programs as they are measured: in many layouts, or each in its first. If one alone
/// had many, the other's luck would be in every pair, and the pairs would agree on it.
#[must_use]
pub fn alike(sides: [&Layouts; 2]) -> [Layouts; 2] {
    let are_many = sides.iter().all(|side| side.are_many());
    sides.map(|side| Layouts { again: side.again.clone().filter(|_| are_many), ..side.clone() })
}

impl Linked {
    fn read(folder: &Path) -> Option<Linked> {
        serde_json::from_slice(&fs::read(folder.join(LINK)).ok()?).ok()
    }
}

/// Whether what lies in a folder is what this program was linked from.
#[must_use]
pub fn is_of(folder: &Path, program: &Path) -> bool {
    let linked = Linked::read(folder);
    linked.is_some_and(|it| fs::read(program).is_ok_and(|bytes| it.of == digits(&bytes)))
}

/// Keeps what a program's other layouts are linked from in a folder, and tries it out there; or
/// that its linker makes none.
///
/// # Errors
/// It failed, and need not another time. Nothing is kept.
pub fn keep(printed: &str, folder: &Path, program: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot write to {}: {error}", folder.display());
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(failed)?;
    let of = digits(&fs::read(program).map_err(|error| error.to_string())?);
    let how = match Link::read(printed) {
        Some((link, inputs)) => try_out(link, &inputs, folder)?,
        None => Err("the linker's command is not understood".to_owned()),
    };
    let text = serde_json::to_vec(&Linked { of, how }).map_err(|error| error.to_string())?;
    fs::write(folder.join(LINK), text).map_err(failed)
}

/// How other layouts are linked, or why the linker makes none: it links in its own order, and not
/// in another one. What fails both ways (a full disk, say) is not the linker's doing.
fn try_out(link: Link, inputs: &[String], folder: &Path) -> Result<Result<Link, String>, String> {
    let (object, tried) = (folder.join(OBJECT), folder.join(TRIED));
    link.object(inputs, &object)?;
    let how = match link.program(&object, Some(1), &tried) {
        Ok(()) => Ok(link),
        Err(why) => {
            link.program(&object, None, &tried)?;
            fs::remove_file(object).map_err(|error| error.to_string())?;
            Err(why)
        }
    };
    fs::remove_file(tried).map_err(|error| error.to_string())?;
    Ok(how)
}

/// Puts what [`keep`] kept into another folder too. It is the same file there, as no file is ever
/// written over.
///
/// # Errors
/// A folder cannot be read or written.
pub fn share(from: &Path, to: &Path) -> io::Result<()> {
    for file in [OBJECT, LINK] {
        let (from, to) = (from.join(file), to.join(file));
        // Where the linker makes no layouts there is no object.
        if file == LINK || from.exists() {
            fs::hard_link(&from, &to).or_else(|_| fs::copy(from, to).map(|_| ()))?;
        }
    }
    Ok(())
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
        let many = Layouts { again: Some(again), ..Layouts::one("many".into()) };
        let one = Layouts::one("one".into());
        for sides in [[&many, &one], [&one, &many], [&one, &one]] {
            let alike = alike(sides);
            assert!(alike.iter().all(|side| !side.are_many()));
            assert_eq!(alike.map(|side| side.draw(0, 1)), sides.map(|side| Ok(side.first.clone())));
        }
        assert!(alike([&many, &many]).iter().all(Layouts::are_many));
    }

    /// What a linker made of a program, in a folder: a script in place of one, with its inputs.
    struct Made(tempfile::TempDir);

    impl Made {
        fn with(linker: &str) -> (Made, Result<(), String>) {
            let made = Made(tempfile::tempdir().expect("a folder"));
            fs::write(made.program(), "first").expect("written");
            let kept = made.link(linker);
            (made, kept)
        }

        fn link(&self, linker: &str) -> Result<(), String> {
            let path = self.0.path().join("linker");
            // By another process: one that this one starts would have the file open, too.
            let write = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod +x \"$0\"";
            let mut command = std::process::Command::new("sh");
            let status = command.args(["-c", write]).arg(&path).arg(linker).status();
            assert!(status.expect("ran").success());
            let printed = format!(r#""{}" "x.o""#, path.display());
            keep(&printed, &self.object(), &self.program())
        }

        fn program(&self) -> PathBuf {
            self.0.path().join(PROGRAM)
        }

        fn object(&self) -> PathBuf {
            self.0.path().join("object")
        }

        /// What is found where it is kept.
        fn found(&self) -> Option<Layouts> {
            let kept = self.0.path().join("kept");
            fs::create_dir_all(&kept).expect("made");
            fs::copy(self.program(), kept.join(PROGRAM)).expect("copied");
            share(&self.object(), &kept).ok()?;
            Layouts::kept(&kept, &Arc::new(Folder::of_this_process(&self.0.path().join("linked"))))
        }
    }

    /// The shell's words for a linker that writes what it was told to.
    const LINKS: &str = "for last; do :; done; echo code > \"$last\"";

    #[test]
    fn what_is_kept_is_of_one_program_and_shared_as_the_same_file() {
        let (made, kept) = Made::with(LINKS);
        assert_eq!(kept, Ok(()));
        assert!(is_of(&made.object(), &made.program()));
        assert!(made.found().is_some_and(|layouts| layouts.are_many()));
        let shared = made.0.path().join("kept").join(OBJECT);
        assert_eq!(fs::read_to_string(shared).expect("readable"), "code\n");
        assert!(!made.object().join(TRIED).exists());
        // Another program was built, and nothing was kept of it.
        fs::write(made.program(), "second").expect("written");
        assert!(!is_of(&made.object(), &made.program()));
        assert!(!is_of(made.0.path(), &made.program()), "nothing was kept there at all");
    }

    #[test]
    fn a_linker_that_knows_no_orders_leaves_one_layout_for_good() {
        let refuses =
            format!("case \"$*\" in *shuffle*) echo no such flag >&2; exit 1; esac; {LINKS}");
        let (made, kept) = Made::with(&refuses);
        assert_eq!(kept, Ok(()));
        let layouts = made.found().expect("a program");
        assert!(!layouts.are_many());
        assert!(layouts.why_one().is_some_and(|why| why.ends_with("no such flag")), "{layouts:?}");
        let first = made.0.path().join("kept").join(PROGRAM);
        assert_eq!(layouts.draw(0, 1), Ok(first));
        assert!(is_of(&made.object(), &made.program()));
    }

    #[test]
    fn what_fails_whatever_the_order_is_tried_again() {
        let full = format!("case \"$*\" in *strip-all*) echo disk full >&2; exit 1; esac; {LINKS}");
        for fails in ["echo no object >&2; exit 1", "kill -9 $$", &full] {
            let (made, kept) = Made::with(fails);
            assert!(kept.is_err(), "{fails}");
            assert!(made.found().is_none() && !is_of(&made.object(), &made.program()), "{fails}");
            assert_eq!(made.link(LINKS), Ok(()));
            assert!(made.found().is_some_and(|layouts| layouts.are_many()), "{fails}");
        }
        let one = Layouts::without_others(Path::new("folder"), "disk full".to_owned());
        assert_eq!((one.are_many(), one.why_one()), (false, Some("disk full")));
        assert_eq!(one.first(), Path::new("folder").join(PROGRAM));
    }
}
