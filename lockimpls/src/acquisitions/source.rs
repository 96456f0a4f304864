//! Whether the cited lines of the kernels' sources take the locks they are cited for, and whether
//! any other line there does. The sources are not part of this repository: whoever has them in a
//! folder, or in folders of it, can ask.
//!
//! ```text
//! SOLOCK_KERNEL_SOURCE=DIR cargo test -p lockimpls --lib -- acquisitions::source --include-ignored
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::expected::{
    BY_LINK, BY_LINK_DGRAM, BY_PAIR, BY_PAIR_DGRAM, BY_PIN, BY_PIN_DGRAM, Block, KERNELS, Step,
    TRIES, WAITS, blocks, read,
};
use super::functions::{
    BY_BUFFER, FUNCTIONS, FUNCTIONS_BY_BUFFER, FUNCTIONS_BY_LINK, FUNCTIONS_BY_PAIR,
    FUNCTIONS_OF_PARTING, FUNCTIONS_OF_PIN, FUNCTIONS_OF_TRY, GONE, UNCITED,
};

/// The variable with the folder of the kernels' files. Each is found by its first line, or, where
/// its kernel's have no revision there, by the name of its folder: `xnu`, `freebsd`, `freebsd2025`.
pub(super) const SOURCE: &str = "SOLOCK_KERNEL_SOURCE";

/// What takes a lock, by the lock.
type Calls = &'static [(&'static str, &'static [&'static str])];

/// By lock: what takes it in the kernel. Any other lock is that of a socket.
const CALLS: Calls = &[
    ("unp", &["solock(", "rw_enter_write(&unp_lock)", "mutex_enter(nlock)", "mutex_enter(lock)"]),
    ("gc", &["rw_enter_write(&unp_gc_lock)"]),
    ("df", &["rw_enter_write(&unp_df_lock)"]),
    ("rights", &["mtx_enter(&unp_rights_mtx)"]),
    ("fdplock", &["fdplock("]),
    ("vnode", &["VOP_LOCK(", "namei(", "VOP_CREATE(", "vn_lock("]),
    ("vi", &["mutex_enter(vp->v_interlock)"]),
    ("f", &["mutex_enter(&fp->f_lock)", "mutex_enter(&fp2->f_lock)"]),
    ("filelist", &["mutex_enter(&filelist_lock)"]),
    ("cwdi", &["rw_enter(&p->p_cwdi->cwdi_lock"]),
];
const SOCKET_CALLS: &[&str] = &[
    "solock(",
    "solock_pair(",
    "solock_shared(",
    "solock_nonet(",
    "mutex_enter(lock)",
    "mutex_enter(sotounpcb(so2)->unp_streamlock)",
];
/// The same of XNU, by the names that the rows have for its locks (`head.md`).
const CALLS_OF_PARTING: Calls = &[
    ("disconnect", &["lck_mtx_lock(&unp_disconnect_lock)"]),
    ("vnode", &["lck_mtx_lock(&unp_connect_lock)"]),
    ("gc", &["lck_rw_lock_exclusive(&unp_list_mtx)"]),
    ("uipc", &["lck_mtx_lock(&uipc_lock)"]),
    ("fdplock", &["proc_fdlock(", "falloc("]),
];
const SOCKET_CALLS_OF_PARTING: &[&str] = &["socket_lock("];
/// The same in the kernel that tries a peer first, of which sockets' locks alone are compared.
const SOCKET_CALLS_OF_TRY: &[&str] = &["UNP_PCB_LOCK(", "UNP_PCB_TRYLOCK("];
/// The same in the kernel whose senders are at their peer's buffer, of which the locks of sockets
/// and of their sides are compared.
const SIDE_CALLS_OF_PIN: &[&str] =
    &["SOCK_RECVBUF_LOCK(", "SOCK_SENDBUF_LOCK(", "SOCK_IO_SEND_LOCK(", "SOCK_IO_RECV_LOCK("];
/// The same in the kernel that has a lock for all links.
const CALLS_BY_LINK: Calls = &[
    ("link.r", &["UNP_LINK_RLOCK("]),
    ("link.w", &["UNP_LINK_WLOCK("]),
    ("gc", &["UNP_LIST_LOCK("]),
    ("df", &["UNP_DEFERRED_LOCK("]),
    ("accept", &["ACCEPT_LOCK("]),
    ("fdplock", &["falloc(", "fdclose(", "FILEDESC_XLOCK(", "FILEDESC_SLOCK("]),
    ("vnode", &["namei(", "VOP_CREATE("]),
];
const SOCKET_CALLS_BY_LINK: &[&str] = &["UNP_PCB_LOCK("];
const SIDE_CALLS_BY_LINK: &[&str] =
    &["SOCKBUF_LOCK(", "SOCK_LOCK(", "sblock(", "sorwakeup(", "sowwakeup(", "KNOTE_UNLOCKED("];

/// Whether a line takes a lock of a buffer; `knote` takes the mutex of the buffer that its list is
/// of.
fn takes_side(line: &str) -> bool {
    let is_mtx = line.contains("sb_mtx") && makes(line, &["mtx_enter("]);
    is_mtx || makes(line, &["sblock(", "knote("])
}

/// A file of one kernel.
struct Source {
    /// `usrreq`.
    key: String,
    /// `uipc_usrreq.c`.
    name: String,
    /// `1.167`; or `xnu-11417.101.15`: the folder, and the release. None: its lines are not cited.
    revision: Option<String>,
}

impl Source {
    /// Whether this is the file, where the revision is this.
    fn is(&self, revision: &str, path: &Path, text: &str) -> bool {
        let Source { name, .. } = self;
        // By Subversion the revision stands behind the copyright.
        if let Some(number) = revision.strip_prefix('r') {
            return text.contains(&format!("/{name} {number} "));
        }
        let Some((folder, _)) = revision.split_once('-') else {
            let head = format!("{name},v {revision} ");
            return text.lines().next().is_some_and(|first| first.contains(&head));
        };
        path.ends_with(Path::new(folder).join(name))
    }
}

/// The kernels that the table in `head.md` has a column for.
const COLUMNS: [usize; 9] = [0, 1, 2, 3, WAITS, BY_PAIR, BY_LINK, TRIES, BY_PIN];

/// The files of each of them, from that table.
fn sources() -> [Vec<Source>; COLUMNS.len()] {
    let mut all: [Vec<Source>; COLUMNS.len()] = Default::default();
    let text = read("head.md");
    for line in text.lines().filter(|line| line.starts_with("| `") && line.contains("` = `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (key, name) = cells[1].split_once(" = ").expect(line);
        let word = |text: &str| text.trim_matches('`').to_owned();
        for (kernel, revision) in all.iter_mut().zip(&cells[2..2 + COLUMNS.len()]) {
            let revision = (*revision != "-").then(|| (*revision).to_owned());
            kernel.push(Source { key: word(key), name: word(name), revision });
        }
    }
    all
}

/// The files of a folder and of its folders.
pub(super) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.extension().is_some_and(|kind| kind == "c") {
            files.push(path);
        }
    }
    files
}

fn is_comment(line: &str) -> bool {
    ["*", "/*"].iter().any(|begin| line.trim_start().starts_with(begin))
}

/// Whether a line of C takes a lock by one of these calls.
pub(super) fn makes(line: &str, calls: &[&str]) -> bool {
    let is_whole = |(at, _): (usize, &str)| {
        !line[..at].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_')
    };
    !is_comment(line) && calls.iter().any(|call| line.match_indices(call).any(is_whole))
}

/// What takes a kernel's locks, by name, and what takes a socket's.
fn calls_of(kernel: usize) -> (Calls, &'static [&'static str]) {
    match kernel {
        WAITS => (CALLS_OF_PARTING, SOCKET_CALLS_OF_PARTING),
        TRIES | BY_PIN => (&[], SOCKET_CALLS_OF_TRY),
        BY_LINK => (CALLS_BY_LINK, SOCKET_CALLS_BY_LINK),
        _ => (CALLS, SOCKET_CALLS),
    }
}

/// Whether a line takes this lock of this kernel.
fn takes_lock(kernel: usize, line: &str, lock: &str) -> bool {
    let (calls, of_socket) = calls_of(kernel);
    match calls.iter().find(|(name, _)| *name == lock) {
        Some((_, calls)) => makes(line, calls),
        None if !lock.contains('.') => makes(line, of_socket),
        None if kernel == BY_LINK => makes(line, SIDE_CALLS_BY_LINK),
        None if kernel == BY_PIN => makes(line, SIDE_CALLS_OF_PIN),
        None => takes_side(line),
    }
}

/// The lines of a function with their numbers, from its name at the margin to its brace.
fn lines_of<'a>(name: &str, lines: &[&'a str]) -> Vec<(usize, &'a str)> {
    let head = format!("{name}(");
    let mut of_it = Vec::new();
    for (at, line) in (1..).zip(lines.iter().copied()) {
        let is_in = !of_it.is_empty() || line.starts_with(&head);
        if is_in {
            of_it.push((at, line));
        }
        if is_in && line == "}" {
            break;
        }
    }
    of_it
}

/// What is wrong with the lines that the rows cite of one kernel's file.
fn differences(kernel: usize, key: &str, lines: &[&str], blocks: &[Block]) -> Vec<String> {
    let all = match kernel {
        WAITS => FUNCTIONS_OF_PARTING,
        TRIES => FUNCTIONS_OF_TRY,
        BY_PIN => FUNCTIONS_OF_PIN,
        BY_PAIR => FUNCTIONS_BY_PAIR,
        BY_LINK => FUNCTIONS_BY_LINK,
        _ if KERNELS[kernel] == BY_BUFFER => FUNCTIONS_BY_BUFFER,
        _ => FUNCTIONS,
    };
    let functions = all.iter().find(|(file, _)| *file == key).map_or(&[][..], |it| it.1);
    differences_in(kernel, key, functions, lines, blocks)
}

/// What the blocks say of a kernel, in its lines of both kinds where it has two.
fn steps_of(kernel: usize, blocks: &[Block]) -> impl Iterator<Item = &[Step]> {
    let last = match kernel {
        BY_PAIR => BY_PAIR_DGRAM,
        BY_LINK => BY_LINK_DGRAM,
        BY_PIN => BY_PIN_DGRAM,
        _ => kernel,
    };
    blocks.iter().flat_map(move |block| (kernel..=last).filter_map(|it| block.cited(it)))
}

fn differences_in(
    kernel: usize,
    key: &str,
    functions: &[&str],
    lines: &[&str],
    blocks: &[Block],
) -> Vec<String> {
    let name = KERNELS[kernel];
    let mut wrong = BTreeSet::new();
    let mut cited = BTreeSet::new();
    let line_at = |at: usize| lines.get(at - 1).copied().unwrap_or("");
    for pair in steps_of(kernel, blocks).flat_map(|steps| steps.windows(2)) {
        let [a, b] = pair else { continue };
        let Some((_, at)) = a.at.as_ref().filter(|(file, _)| file == key) else { continue };
        // A line with a buffer's lock may be come to twice: two wake-ups are two calls of
        // `sowakeup`.
        let is_of_side = a.lock.contains('.');
        let is_pair = makes(line_at(*at), &["solock_pair("]);
        if a.lock != b.lock && a.at == b.at && !is_of_side && !is_pair {
            wrong.insert(format!("{name} {key}:{at} takes one of {} and {}", a.lock, b.lock));
        }
    }
    for step in steps_of(kernel, blocks).flatten() {
        let Some((_, at)) = step.at.as_ref().filter(|(file, _)| file == key) else { continue };
        let line = line_at(*at);
        cited.insert(*at);
        if !takes_lock(kernel, line, &step.lock) {
            wrong.insert(format!("{name} {key}:{at} takes no {}: {line}", step.lock));
        }
    }
    let (calls, of_socket) = calls_of(kernel);
    let calls: Vec<&str> = calls.iter().flat_map(|(_, calls)| *calls).copied().collect();
    let of_side = |line: &str| match kernel {
        BY_LINK => makes(line, SIDE_CALLS_BY_LINK),
        BY_PIN => makes(line, SIDE_CALLS_OF_PIN),
        _ => name == BY_BUFFER && takes_side(line),
    };
    let takes = |line: &str| makes(line, &calls) || makes(line, of_socket) || of_side(line);
    let is_excused = |at: usize| {
        UNCITED.iter().any(|(kernel, file, line, _)| (*kernel, *file, *line) == (name, key, at))
    };
    let excused = UNCITED.iter().filter(|(kernel, file, ..)| (*kernel, *file) == (name, key));
    for (_, _, at, _) in excused.filter(|(_, _, at, _)| !takes(line_at(*at))) {
        wrong.insert(format!("{name} {key}:{at} is excused, and takes nothing"));
    }
    for function in functions {
        let of_it = lines_of(function, lines);
        if of_it.is_empty() && !GONE.contains(&(name, function)) {
            wrong.insert(format!("{name} {key}: {function} is not there"));
        }
        for (at, line) in of_it.into_iter().filter(|(_, line)| takes(line)) {
            match (cited.contains(&at), is_excused(at)) {
                (false, false) => {
                    wrong.insert(format!("{name} {key}:{at} is in no row: {}", line.trim()));
                }
                (true, true) => {
                    wrong.insert(format!("{name} {key}:{at} is in a row, and excused"));
                }
                _ => {}
            }
        }
    }
    wrong.into_iter().collect()
}

#[test]
#[ignore = "wants the kernels' sources: SOLOCK_KERNEL_SOURCE=DIR"]
fn the_cited_lines_take_the_locks() {
    let folder = PathBuf::from(std::env::var_os(SOURCE).expect(SOURCE));
    let read = |path: PathBuf| {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        (path, text)
    };
    let texts: Vec<(PathBuf, String)> = files_in(&folder).into_iter().map(read).collect();
    let blocks = blocks();
    let mut wrong = Vec::new();
    for (kernel, sources) in COLUMNS.into_iter().zip(sources()) {
        for source in &sources {
            let Some(revision) = &source.revision else { continue };
            match texts.iter().find(|(path, text)| source.is(revision, path, text)) {
                None => wrong.push(format!("there is no {} {revision}", source.name)),
                Some((_, text)) => {
                    let lines: Vec<&str> = text.lines().collect();
                    wrong.extend(differences(kernel, &source.key, &lines, &blocks));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cited_file_is_one_of_the_table() {
    let sources = sources();
    let blocks = blocks();
    for (kernel, sources) in COLUMNS.into_iter().zip(&sources) {
        assert_eq!(sources.len(), FUNCTIONS.len() + 2);
        let steps = steps_of(kernel, &blocks).flatten();
        for (file, _) in steps.filter_map(|step| step.at.as_ref()) {
            let is_it = |source: &Source| source.key == *file && source.revision.is_some();
            assert!(sources.iter().any(is_it), "{file}: no such file");
        }
    }
}

/// The kernels that lock two sockets by address (`unp_pcb_lock_pair`): the lines at which the lower
/// one is locked; the higher one is at the next.
const LOWER_FIRST: [(usize, [usize; 2]); 3] =
    [(TRIES, [356, 359]), (BY_PIN, [358, 361]), (BY_PIN_DGRAM, [358, 361])];

#[test]
fn of_two_sockets_the_lower_is_locked_first() {
    let blocks = blocks();
    for (kernel, lines) in LOWER_FIRST {
        let mut pairs = 0;
        for (block, line) in blocks.iter().flat_map(|block| lines.map(|line| (block, line))) {
            let steps = block.cited(kernel).unwrap_or_default();
            let at =
                |line| steps.iter().find(|step| step.at.as_ref().is_some_and(|it| it.1 == line));
            let (Some(first), Some(second)) = (at(line), at(line + 1)) else { continue };
            // The way says where `so` lies beside its peer, and beside no other socket.
            let is_so = [first, second].map(|step| step.lock == "so");
            let is_peer = [first, second].iter().any(|step| ["peer", "so2"].contains(&&*step.lock));
            if is_peer && is_so.contains(&true) {
                let way = if is_so[0] { "lower" } else { "higher" };
                assert_eq!(block.key().3, way, "{} {:?}", KERNELS[kernel], block.key());
                pairs += 1;
            }
        }
        assert!(pairs > 0, "{}: no pair", KERNELS[kernel]);
    }
}

#[test]
fn a_line_that_takes_another_lock_is_found() {
    let kernel = 0;
    let step = |text| Step::parse(text).unwrap();
    let mut block = Block::default();
    let steps = ["so dup:4", "-gc dup:5", "+so", "so dup:6", "peer dup:6"];
    block.steps[kernel] = Some(steps.map(step).to_vec());
    let good = "/* */\nsys_dup(int a)\n{\n\tsolock(so);\n\trw_enter_write(&unp_gc_lock);\n\t\
                solock_pair(so, so2);\n\tsounlock(so);\n}\n";
    let blocks = [block];
    let found = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        differences_in(kernel, "dup", &["sys_dup"], &lines, &blocks).join("; ")
    };
    assert_eq!(found(good), "");
    for (from, to, words) in [
        ("\tsolock(so)", "\tsounlock(so)", "dup:4 takes no so"),
        ("unp_gc_lock", "unp_df_lock", "dup:5 takes no gc"),
        ("\tsolock(so)", "\t/* solock(so)", "dup:4 takes no so"),
        ("\tsolock(so)", "\tunp_solock(so)", "dup:4 takes no so"),
        ("\tsounlock(so)", "\tfdplock(fdp)", "dup:7 is in no row"),
        ("\tsounlock(so)", "\ts = solock(so)", "dup:7 is in no row"),
        ("solock_pair(so, so2)", "solock(so)", "dup:6 takes one of so and peer"),
        ("sys_dup", "sys_dup2", "sys_dup is not there"),
    ] {
        let report = found(&good.replacen(from, to, 1));
        assert!(report.contains(words), "{to}: {report}");
    }
}
