"""Where lockimpls unlocks: each call by which a thread gives back what it holds.

That is a lock, the right to fill or drain a buffer, a place on the lock-free path, a reference, the
count of a call under way. Each is put into a switch, so that one build can go without any of them.
"""

import dataclasses
import pathlib
import re
import string

# What is not looked through, and why: files, and folders with all that is in them.
LEFT_OUT = {
    "acquisitions/": "tests: which locks each request takes",
    "backend/host.rs": "the machine's own sockets: no lock of the layer's",
    "backend/host/": "as `backend/host.rs`",
    "calibrate.rs": "a loop that is measured, with a lock of its own",
    "child.rs": "for unit tests",
    "controls/": "programs for broken twins",
    "exclusion.rs": "keeps two programs apart that measure",
    "fault.rs": "what broken twins leave out and do instead",
    "fault/": "as `fault.rs`",
    "movable.rs": "the lock of other crates' layers; the layer has none of it",
    "movable/": "its unit tests",
    "primitives.rs": "what locks are made of",
    "primitives/": "as `primitives.rs`",
    "raw.rs": "the algorithms under the locks: the battery has one of them, `anylock` tests all",
    "raw/": "as `raw.rs`",
    "uipc/send/copy_share.rs": "a measurement",
    "witness.rs": "the checker",
    "witness/": "as `witness.rs`",
}
TESTS = re.compile(r"(^|/)(tests|kept)\.rs$")

# Functions that unlock: that is what they are for, or what they end with.
VERBS = """
append_leave attach_enter call_leave closef data_leave data_unlock deferred_exit deferred_leave
deferred_to_gc detach_exit embryo_leave embryo_leave_last exit exit_read exit_write flight_exit
gc_exit gc_to_deferred hand_over head_leave head_refuse kernel_exit kernel_unlock leave leave_fast links_leave
list_exit list_to_name name_leave own_leave part_leave peer_looked peer_to_sb peer_unpin
queue_fd_leave queue_leave queue_to_so queue_unlock rele release release_all release_rights
relock_ends sb_flag_leave sb_leave sb_to_peer sb_to_so sb_unlock sbunlock sbunlock_to_wait scan_exit sched_unlock
side_leave side_leave_ended side_leave_waking side_unlock sides_leave sleep_begins slow_leave
so_leave so_off_queue so_to_data so_to_sb soabort soclose_locked sounlock sounlock_fd sounlock_last
sounlock_pair sounlock_parted sounlock_peer unkeep unlock unlock_shared unpin_and_wake vop_unlock
""".split()

# Verbs of a policy that unlock something for what they lock or wait for: what is deleted is the
# unlock in their bodies.
UNLOCK_MEANWHILE = """
accepted connect_enter detach_enter embryo_enter embryo_to_head finalize head_to_pair listen_enter
list_enter look_to_side name_to_head peer_look peer_pin sb_lock so_enter so_to_queue solock_new solock_pair
solock_peer solock_referrer solock_to_part
""".split()

# Unlocks by other names: flags and counts that stand for something held, and two functions.
FLAGS = (
    r"beside\.end\(",
    r"names\.put\(",
    r"gate\.store\(SHUT, Release\)",
    r"waits\.store\(0, Relaxed\)",
    r"disconnect_in_progress\.store\(0, Relaxed\)",
    r"relocks\.store\(left, Relaxed\)",
    r"unp_gcing\.store\(0, Relaxed\)",
    r"sb\.locked\.set\(false\)",
    r"st\.users\.set\((?:before - 1|st\.users\.get\(\) - 1|0)\)",
    r"0\.fetch_sub\(1, AcqRel\)",
)

# A name that has one of these words is like that of an unlock.
WORDS = {"exit", "leave", "rele", "release", "sbunlock", "sounlock", "unkeep", "unlock"}
# Those that are none, everywhere or in a file, and why.
NO_UNLOCK = {
    "attach_exit": "locks again what `attach_enter` unlocked",
    "fast_leave": "its answer is the call's; each unlock in it is deleted",
    "leave_and_wait": "goes on to wait; each unlock in it is deleted",
    "unlock_and_wait": "its answer is whether it did; each unlock in it is deleted",
    "objects/descriptors.rs release": "closes a descriptor; its answer is what that referred to",
    "objects/names.rs rele": "a reference on a name: it stays taken, and nobody waits for it",
    "uipc/close.rs release": "closes a descriptor; its answer is what that referred to",
}

# What stands for the answer of an unlock that is not made.
ANSWERS = {
    "ambient::sleep_begins()": "0",
    "lock.release_all()": "0",
    "lock.unlock()": "false",
    "self.ambient.sleep_begins()": "0",
    "self.sched_lock.unlock()": "true",
    "sleep_begins()": "0",
}

NAME = string.ascii_letters + string.digits + "_"
# What types a call may name.
TYPES = r"(?:::<(?:\(\)|[^();{}])*?>)?"
CALL = re.compile(rf"\b(\w+){TYPES}\(")
UNLOCK = re.compile("|".join(
    [rf"\b(?:{'|'.join(VERBS)}){TYPES}\(", *(rf"\b{flag}" for flag in FLAGS)]))
TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:pub\S* )?mod \w+ \{")


@dataclasses.dataclass
class Unlock:
    """An expression of a source, and what stands for its answer if that is used."""
    file: str
    line: int
    code: str
    start: int
    end: int
    answer: str | None

    def switched(self, text, number):
        """The expression, unless it is the one with this number that is deleted."""
        is_there, code = f"!crate::deleted::is({number})", text[self.start:self.end]
        if self.answer is None:
            return f"{{ if {is_there} {{ {code}; }} }}"
        return f"(if {is_there} {{ {code} }} else {{ {self.answer} }})"


def sources(folder):
    """The names and texts of what is looked through."""
    if vague := [it for it in LEFT_OUT if not it.endswith(("/", ".rs"))]:
        raise ValueError(f"neither a file nor a folder: {' '.join(vague)}")
    for path in sorted(pathlib.Path(folder).rglob("*.rs")):
        name = str(path.relative_to(folder))
        if not name.startswith(tuple(LEFT_OUT)) and not TESTS.search(name):
            yield name, path.read_text()


def unlocks_of(name, text):
    r"""The unlocks of a source, in order.

    >>> def found(text): return [it.code for it in unlocks_of("a.rs", text)]
    >>> found("fn exit(&self) { self.lock.exit(); }")
    ['self.lock.exit()']
    >>> found("match a { A => so.unlock(), _ => self.link().exit_read(), }")
    ['so.unlock()', 'self.link().exit_read()']
    >>> found("if a { so.exit() } else { gate::leave(so, me) }")
    ['so.exit()', 'gate::leave(so, me)']
    >>> found("park(key(), || true, || lock[at(0)].exit()); return self.closef(file);")
    ['lock[at(0)].exit()', 'self.closef(file)']
    >>> found("{ a.waits.store(1, Relaxed); a.waits.store(0, Relaxed); a.relock_ends::<F>(); }")
    ['a.waits.store(0, Relaxed)', 'a.relock_ends::<F>()']
    >>> found("{ a.leave::<F, Held<()>>(); }")
    ['a.leave::<F, Held<()>>()']
    >>> found('// so.exit();\nlet a = "so.exit();"; #[cfg(test)] mod tests { so.exit(); }')
    []
    >>> found("if F::omits(Step::A) { a.exit(); } else { if !F::omits(Step::B) { b.exit(); } }")
    ['b.exit()']
    >>> found("if F::omits(Step::A) || is_over() { a.exit(); }")
    ['a.exit()']
    >>> found("let depth = sleep_begins();")
    ['sleep_begins()']
    >>> found("let a = so.exit();")
    Traceback (most recent call last):
    ...
    ValueError: a.rs:1: the answer of so.exit() is used: ANSWERS has none
    """
    code = code_of(text)
    found = []
    for match in UNLOCK.finditer(code):
        verb = re.match(r"\w+", match.group()).group()
        if is_definition(code, match.start()) or f"{name} {verb}" in NO_UNLOCK:
            continue
        if is_twins(code, match.start()):
            continue
        start, end = start_of(code, match.start()), match.end()
        if match.group().endswith("("):
            end = closing(code, end - 1)
        line, expression = line_of(code, start), " ".join(text[start:end].split())
        answer = ANSWERS.get(expression)
        if answer is None and is_used(code, start, end):
            raise ValueError(f"{name}:{line}: the answer of {expression} is used: ANSWERS has none")
        found.append(Unlock(name, line, expression, start, end, answer))
    return found


def never_deleted(name, text):
    """Calls whose names are like those of unlocks, and that no list above has.

    >>> never_deleted("a.rs", "fn a_leave() { so.b_leave(); so.exit(); so.is_unlocked(); }")
    ['a.rs:1: b_leave']
    """
    code = code_of(text)
    known = {*VERBS, *UNLOCK_MEANWHILE, *NO_UNLOCK}
    return [
        f"{name}:{line_of(code, call.start())}: {call.group(1)}"
        for call in CALL.finditer(code)
        if WORDS.intersection(call.group(1).split("_")) and call.group(1) not in known
        and not is_definition(code, call.start())]


def in_vain(texts):
    """What the lists have and no source does.

    >>> "side_leave" in in_vain(["fn a() { so.exit(); }"]), "exit" in in_vain(["so.exit()"])
    (True, False)
    """
    code = "\n".join(map(code_of, texts))
    calls = {call.group(1) for call in CALL.finditer(code)}
    words = [it.split()[-1] for it in [*VERBS, *UNLOCK_MEANWHILE, *NO_UNLOCK]]
    return [
        *(it for it in words if it not in calls),
        *(it for it in FLAGS if not re.search(it, code)),
        *(it for it in ANSWERS if it not in code)]


def code_of(text):
    """A source up to its tests, with comments, strings and characters blanked where they stand.

    >>> code_of("#[cfg(test)] mod tests { so.exit(); } fn a() { so.exit(); }")
    Traceback (most recent call last):
    ...
    ValueError: code follows the tests: fn a() { so.exit(); }
    """
    blank = r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'"""
    code = re.sub(blank, lambda it: re.sub(r"[^\n]", " ", it.group()), text, flags=re.S)
    tests = TEST_MODULE.search(code)
    if tests is None:
        return code
    if after := code[closing(code, tests.end() - 1):].strip():
        raise ValueError(f"code follows the tests: {after.splitlines()[0]}")
    return code[:tests.start()]


def line_of(code, at):
    return code.count("\n", 0, at) + 1


def is_definition(code, at):
    return code.endswith("fn ", 0, at)


def closing(code, at):
    """Behind the bracket that closes the one here."""
    depth = 0
    for at in range(at, len(code)):
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if depth == 0:
            return at + 1
    raise ValueError("a bracket is not closed")


def opening(code, at, depth):
    """The bracket that is closed just before here, with a depth of 0; with 1, the one around."""
    for at in range(at - 1, -1, -1):
        depth += (code[at] in ")]}") - (code[at] in "([{")
        if depth == 0:
            return at
    return -1


def start_of(code, at):
    """Where an expression begins of which a part begins here: `self.a[b].c(d)` of its `c`."""
    while code[:at].rstrip().endswith((".", "::")):
        before = code[:at].rstrip().rstrip(".:").rstrip()
        while before.endswith((")", "]")):
            before = before[:opening(before, len(before), 0)]
        at = len(before.rstrip(NAME))
    return at


def is_used(code, start, end):
    """Whether something is done with a value: the expression is no statement, arm or body."""
    before, after = code[:start].rstrip(), code[end:].lstrip()
    is_effect = before.endswith((";", "{", "}", "=>", "|")) or re.search(r"\breturn$", before)
    return not is_effect or not after.startswith((";", "}", ",", ")"))


def is_twins(code, at):
    """Whether only a broken twin comes here: where it omits a step, it does this instead. Where
    something else may lead here, too, it does not."""
    while (at := opening(code, at, 1)) >= 0:
        header = code[max(code.rfind(bracket, 0, at) for bracket in ";{}") + 1:at]
        if re.search(r"\bif (?:P::Fault|F)::omits\(", header) and "||" not in header:
            return True
    return False
