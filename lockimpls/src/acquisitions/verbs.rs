//! The verbs of the policies and of their collectors, and the lists that have them by name: nobody
//! would miss one that is in none of them.

use std::collections::BTreeSet;

use super::folder;
use super::places::TAKES;

/// Verbs that take no lock: they unlock, or say something, or take again what they gave up to sleep.
const LOCKS_NOTHING: [&str; 35] = [
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

/// Verbs that unlock for something that they lock or wait for: what is deleted is the unlock in the
/// backend's body. What calls one of these is not one that unlocks.
const UNLOCKS_MEANWHILE: [&str; 20] = [
    "so_enter",
    "solock_new",
    "solock_peer",
    "solock_to_part",
    "connect_enter",
    "solock_pair",
    "solock_referrer",
    "name_to_head",
    "head_to_pair",
    "embryo_enter",
    "embryo_to_head",
    "listen_enter",
    "look_to_side",
    "peer_pin",
    "accepted",
    "list_enter",
    "detach_enter",
    "peer_look",
    "so_to_queue",
    "finalize",
];

/// Where the bodies of the verbs are.
const BODIES: [&str; 12] = [
    "backend/per_buffer.rs",
    "backend/per_pair.rs",
    "backend/per_socket_try.rs",
    "backend/per_socket_wait.rs",
    "backend/global.rs",
    "backend/global_gc.rs",
    "backend/per_socket.rs",
    "backend/per_socket/way.rs",
    "backend/state_queue.rs",
    "backend/shared_link.rs",
    "backend/shared_link/locks.rs",
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

/// The functions of these sources that unlock something, themselves or by another of them.
fn unlocking(sources: &[String]) -> BTreeSet<String> {
    let code = |text: &str| text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
    let all: String = sources.iter().map(|text| code(text)).collect();
    let all = ["super", "crate"]
        .into_iter()
        .fold(all, |all, whose| all.replace(&format!("\n    pub({whose}) fn "), "\n    fn "));
    let functions: Vec<(&str, &str)> =
        all.split("\n    fn ").skip(1).filter_map(|text| text.split_once(['(', '<'])).collect();
    let mut found = BTreeSet::from(["exit", "exit_read"].map(str::to_owned));
    loop {
        let through = found.iter().filter(|it| !UNLOCKS_MEANWHILE.contains(&it.as_str()));
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

/// What a regular expression of words, `|` and `(...)`, with or without `?`, stands for.
fn words(expression: &str) -> Vec<String> {
    let (mut all, mut depth) = (vec![String::new()], 0);
    for char in expression.chars() {
        depth += i32::from(char == '(') - i32::from(char == ')');
        match char {
            '|' if depth == 0 => all.push(String::new()),
            _ => all.last_mut().unwrap().push(char),
        }
    }
    all.iter().flat_map(|one| expanded(one)).collect()
}

/// The same of what has no `|` but in brackets.
fn expanded(one: &str) -> Vec<String> {
    let Some((before, rest)) = one.split_once('(') else { return vec![one.to_owned()] };
    let (choices, after) = rest.split_once(')').expect(one);
    let (none, after) = match after.strip_prefix('?') {
        Some(after) => (Some(""), after),
        None => (None, after),
    };
    let choices = choices.split('|').chain(none);
    choices.flat_map(|choice| expanded(&format!("{before}{choice}{after}"))).collect()
}

#[test]
fn every_verb_that_unlocks_is_deleted_once() {
    let script = folder().with_file_name("tests").join("deleted-unlocks.py");
    let script = std::fs::read_to_string(script).unwrap();
    let (_, expression) = script.split_once("UNLOCK = re.compile(").unwrap();
    let (expression, _) = expression.split_once("\n)\n").unwrap();
    // The strings in it: what stands before the verb, the verbs, the bracket after it.
    let expression: String = expression.split('"').skip(1).step_by(2).collect();
    let verbs_in_it = expression
        .strip_prefix(r"(?:\.|gate::)(")
        .and_then(|rest| rest.strip_suffix(r")\("))
        .expect("what a verb is between");
    let deleted = words(verbs_in_it);
    let bodies = BODIES.map(|file| std::fs::read_to_string(folder().join(file)).unwrap());
    for verb in unlocking(&bodies).iter().filter(|name| is_verb(name)) {
        let is_deleted = deleted.contains(verb);
        let is_left = UNLOCKS_MEANWHILE.contains(&verb.as_str());
        assert!(is_deleted != is_left, "{verb}: deleted-unlocks.py has it, or it is left");
    }
    for verb in UNLOCKS_MEANWHILE {
        assert!(is_verb(verb), "{verb} is no verb");
    }
}

#[test]
fn what_unlocks_is_found_through_other_functions() {
    let sources = [
        "\n    fn a(&self) {\n        self.l.exit();\n    }\n\n    fn b(&self) {}\n",
        "\n    fn c(&self) {\n        x.a();\n    }\n\n    fn d(&self) {\n        x.c();\n    }\n\
         #[cfg(test)]\n    fn e() {\n        x.exit();\n    }\n",
    ];
    let found = unlocking(&sources.map(str::to_owned));
    assert_eq!(Vec::from_iter(found).join(" "), "a c d exit exit_read");
}

#[test]
fn an_expression_stands_for_its_words() {
    assert_eq!(
        words("exit(_a|_b)?|(c|d)_exit|leave").join(" "),
        "exit_a exit_b exit c_exit d_exit leave"
    );
}
