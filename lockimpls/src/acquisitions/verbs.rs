//! The verbs of the policies and of their collectors, and the lists that have them by name: nobody
//! would miss one that is in none of them.

use std::collections::BTreeSet;

use super::folder;
use super::places::TAKES;

/// Verbs that take no lock: they unlock, or say something, or take again what they gave up to
/// sleep.
const LOCKS_NOTHING: [&str; 36] = [
    "new",
    "collector",
    "socket_locks",
    "sounlock",
    "sounlock_last",
    "so_leave",
    "sounlock_peer",
    "sounlock_parted",
    "sounlock_pair",
    "data_unlock",
    "data_leave",
    "so_to_data",
    "side_unlock",
    "side_leave",
    "links_leave",
    "append_leave",
    "queue_unlock",
    "queue_leave",
    "so_off_queue",
    "peer_unpin",
    "sb_unlock",
    "attach_enter",
    "connect_enter",
    "name_leave",
    "head_refuse",
    "head_leave",
    "embryo_leave",
    "embryo_leave_last",
    "list_to_name",
    "scan_exit",
    "gc_guard",
    "deferred",
    "gc_exit",
    "flight_exit",
    "deferred_exit",
    "deferred_leave",
];

/// Where the bodies of the verbs are.
const BODIES: [&str; 15] = [
    "backend/per_buffer.rs",
    "backend/per_pair.rs",
    "backend/per_socket_try.rs",
    "backend/per_socket_wait.rs",
    "backend/global.rs",
    "backend/global_gc.rs",
    "backend/per_socket.rs",
    "backend/per_socket/way.rs",
    "backend/receive_buffer.rs",
    "backend/state_queue.rs",
    "backend/shared_link.rs",
    "backend/shared_link/locks.rs",
    "backend/endpoint_queue.rs",
    "backend/endpoint_queue/locks.rs",
    "policy/collector.rs",
];

/// The verbs that a trait in this file declares.
fn verbs_of(file: &str, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let (_, body) = text.split_once(&format!("pub(crate) trait {name}")).expect(name);
    let (body, _) = body.split_once("\n}\n").expect(name);
    let declared = body.split("\n    fn ").skip(1);
    declared.map(|text| text.split_once('(').expect(text).0.to_owned()).collect()
}

fn verbs() -> Vec<String> {
    [verbs_of("policy.rs", "Policy"), verbs_of("policy/collector.rs", "Collector")].concat()
}

fn is_verb(name: &str) -> bool {
    verbs().iter().any(|verb| verb == name)
}

/// The words of a list of `tests/unlocks.py`.
fn listed(name: &str) -> Vec<String> {
    let lists = folder().with_file_name("tests").join("unlocks.py");
    let lists = std::fs::read_to_string(lists).unwrap();
    let (_, list) = lists.split_once(&format!("\n{name} = \"\"\"\n")).expect(name);
    let (list, _) = list.split_once("\"\"\"").expect(name);
    list.split_whitespace().map(str::to_owned).collect()
}

/// The functions of these sources that unlock something, themselves or by another of them that is
/// not among the `meanwhile`.
fn unlocking(sources: &[String], meanwhile: &[String]) -> BTreeSet<String> {
    let code = |text: &str| text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
    let all: String = sources.iter().map(|text| code(text)).collect();
    let all = ["super", "crate"]
        .into_iter()
        .fold(all, |all, whose| all.replace(&format!("\n    pub({whose}) fn "), "\n    fn "));
    let functions: Vec<(&str, &str)> =
        all.split("\n    fn ").skip(1).filter_map(|text| text.split_once(['(', '<'])).collect();
    let mut found = BTreeSet::from(["exit", "exit_read"].map(str::to_owned));
    loop {
        let through = found.iter().filter(|it| !meanwhile.contains(it));
        let through: Vec<String> =
            through.flat_map(|it| [format!(".{it}("), format!("::{it}(")]).collect();
        let calls_one = |body: &str| through.iter().any(|it| body.contains(it));
        let more = functions.iter().filter(|(_, body)| calls_one(body));
        let more: BTreeSet<String> = more.map(|(name, _)| (*name).to_owned()).collect();
        if more.is_subset(&found) {
            return found;
        }
        found.extend(more);
    }
}

#[test]
fn every_verb_takes_a_lock_or_is_said_not_to() {
    for verb in verbs() {
        let takes = TAKES.contains(&format!(".{verb}(").as_str());
        assert!(takes != LOCKS_NOTHING.contains(&verb.as_str()), "{verb}: in one of the two");
    }
    for verb in LOCKS_NOTHING {
        assert!(is_verb(verb), "{verb} is no verb");
    }
    for take in TAKES.iter().filter(|take| take.starts_with('.')) {
        let verb = take.trim_matches(['.', '(']);
        // Those that are of the requests themselves.
        let of_requests = [
            "solock_fd",
            "solock_fd_and_links",
            "queue_fd",
            "call_enter",
            "sb_enter",
            "sides_enter",
            "sb_to_so",
            "so_to_sb",
            "sb_to_peer",
            "peer_to_sb",
            "own_enter",
        ];
        assert!(is_verb(verb) || of_requests.contains(&verb), "{take} is no verb");
    }
}

#[test]
fn every_verb_that_unlocks_is_deleted_once() {
    let (deleted, meanwhile) = (listed("VERBS"), listed("UNLOCK_MEANWHILE"));
    let bodies = BODIES.map(|file| std::fs::read_to_string(folder().join(file)).unwrap());
    for verb in unlocking(&bodies, &meanwhile).iter().filter(|name| is_verb(name)) {
        let (is_deleted, is_left) = (deleted.contains(verb), meanwhile.contains(verb));
        assert!(is_deleted != is_left, "{verb}: deleted-unlocks.py has it, or it is left");
    }
    for verb in meanwhile {
        assert!(is_verb(&verb), "{verb} is no verb");
    }
}

#[test]
fn what_unlocks_is_found_through_other_functions() {
    let sources = [
        "\n    fn a(&self) {\n        self.l.exit();\n    }\n\n    fn b(&self) {}\n",
        "\n    fn c(&self) {\n        x.a();\n    }\n\n    fn d(&self) {\n        x.c();\n    }\n\
         #[cfg(test)]\n    fn e() {\n        x.exit();\n    }\n",
    ];
    let found = unlocking(&sources.map(str::to_owned), &[]);
    assert_eq!(Vec::from_iter(found).join(" "), "a c d exit exit_read");
}
