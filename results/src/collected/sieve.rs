//! Which of the whole sets are kept.

use std::path::PathBuf;

use super::{Fault, Set, Why};
use crate::element::Element;
use crate::record::Host;
use crate::run;

/// Those that are kept, by node; the others are told. Copies go first, so that no file counts
/// twice; then what was disturbed, also by what is `beside`: put aside
/// since, or of another grid; then what is unlike the most;
/// of what is left and doubled the last one stays.
pub(super) fn sifted(mut sets: Vec<Set>, beside: &[Beside], faults: &mut Vec<Fault>) -> Vec<Set> {
    // The latest first.
    sets.sort_by(|one, other| {
        let key = |set: &Set| (set.element.ended.clone(), set.path().to_owned());
        key(other).cmp(&key(one))
    });
    aside(&mut sets, faults, copy);
    aside(&mut sets, faults, |sets, at| at_once(sets, beside, at));
    aside(&mut sets, faults, changed);
    let usual = usual_commits(&sets);
    aside(&mut sets, faults, |sets, at| other_commit(&usual, &sets[at]));
    aside(&mut sets, faults, doubled);
    sets.sort_by(|one, other| one.element.origin.node.cmp(&other.element.origin.node));
    sets
}

/// Takes away each of which a rule says why; a rule sees them all, and the place of one.
fn aside(
    sets: &mut Vec<Set>,
    faults: &mut Vec<Fault>,
    rule: impl Fn(&[Set], usize) -> Option<Why>,
) {
    let verdicts: Vec<Option<Why>> = (0..sets.len()).map(|at| rule(sets, at)).collect();
    let mut kept = Vec::with_capacity(sets.len());
    for (set, why) in std::mem::take(sets).into_iter().zip(verdicts) {
        match why {
            Some(why) => faults.push(Fault { path: set.path().to_owned(), why }),
            None => kept.push(set),
        }
    }
    *sets = kept;
}

fn copy(sets: &[Set], at: usize) -> Option<Why> {
    let first = sets[..at].iter().find(|other| other.element == sets[at].element)?;
    Some(Why::Copy(first.path().to_owned()))
}

fn doubled(sets: &[Set], at: usize) -> Option<Why> {
    let place = |set: &Set| {
        let origin = &set.element.origin;
        (origin.element.clone(), origin.machine.clone(), origin.node.clone())
    };
    let later = sets[..at].iter().find(|other| place(other) == place(&sets[at]))?;
    Some(Why::Doubled(later.path().to_owned()))
}

/// A whole file that is not sifted, and its last line.
pub(super) type Beside = (PathBuf, Element);

/// Times of one box are of one clock. What is not kept has disturbed others all the same.
fn at_once(sets: &[Set], beside: &[Beside], at: usize) -> Option<Why> {
    let own = &sets[at].element;
    own.boot.as_ref()?;
    let is_beside = |other: &Element| {
        let is_itself = other == own;
        let overlaps = other.started < own.ended && own.started < other.ended;
        other.boot == own.boot && overlaps && !is_itself
    };
    let others = sets[..at].iter().chain(&sets[at + 1..]);
    let others = others.map(|set| (set.path(), &set.element));
    let mut others = others.chain(beside.iter().map(|(path, element)| (&**path, element)));
    let found = others.find(|(_, element)| is_beside(element));
    found.map(|(path, _)| Why::AtOnce(path.to_owned()))
}

fn changed(sets: &[Set], at: usize) -> Option<Why> {
    let own = &sets[at].element;
    let beside = sets.iter().filter(|set| set.element.origin.machine == own.origin.machine);
    let usual = most(beside.map(|set| state(&set.element)))?;
    difference(usual, state(own)).map(Why::Changed)
}

/// What a machine must not change: itself, its CPUs that are used, the compiler, the build, and the
/// program where no commit says what that is.
type State<'a> = (&'a Host, [(&'a str, &'a str); 4]);

fn state(element: &Element) -> State<'_> {
    let Element { host, cpus, rustc, build, program, .. } = element;
    let cpus = ("cpus used", cpus.as_deref().unwrap_or("unknown"));
    let program = ("the program", program.as_deref().unwrap_or("unknown"));
    (host, [cpus, ("the compiler", rustc), ("the build", build), program])
}

fn difference((usual, most): State<'_>, (host, own): State<'_>) -> Option<String> {
    let mut unlike = own.into_iter().zip(most).filter(|(own, most)| own != most);
    let told = |((what, own), (_, most))| format!("{what}: {own:?} here and {most:?} in most");
    run::difference(usual, host).or_else(|| unlike.next().map(told))
}

/// The commit that most sets have for each side.
fn usual_commits(sets: &[Set]) -> Vec<Side> {
    let all: Vec<Side> = sets.iter().flat_map(sides).collect();
    let mut names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let usual = |name: &String| {
        let own = all.iter().filter(|(other, _)| other == name);
        Some((name.clone(), most(own.map(|(_, commit)| commit))?.clone()))
    };
    names.into_iter().filter_map(usual).collect()
}

fn other_commit(usual: &[Side], set: &Set) -> Option<Why> {
    sides(set).into_iter().find_map(|(name, commit)| {
        let (_, most) = usual.iter().find(|(other, _)| *other == name)?;
        let what = format!("{name} is {commit} here and {most} in most");
        (*most != commit).then_some(Why::OtherCommit(what))
    })
}

/// A side's name, or the program's, and its commit.
type Side = (String, String);

/// What a set is of: each side, or the program itself.
fn sides(set: &Set) -> Vec<Side> {
    let compared = set.run.compared().flat_map(|line| [&line.first, &line.second]);
    let mut sides: Vec<Side> = compared
        .map(|side| (side.name.clone(), commit(side.commit.as_deref(), side.dirty)))
        .collect();
    if sides.is_empty() {
        let Element { commit: own, dirty, .. } = &set.element;
        sides.push(("the program".to_owned(), commit(own.as_deref(), *dirty)));
    }
    sides.sort();
    sides.dedup();
    sides
}

fn commit(commit: Option<&str>, dirty: Option<bool>) -> String {
    let hash: String = commit.unwrap_or("unknown").chars().take(10).collect();
    hash + if dirty == Some(true) { "+" } else { "" }
}

/// What there is most of; where two are even, what the latest set has.
fn most<K: PartialEq>(keys: impl Iterator<Item = K>) -> Option<K> {
    let mut counts: Vec<(K, usize)> = Vec::new();
    for key in keys {
        match counts.iter_mut().find(|(other, _)| *other == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
    // The sets come latest first, and `max_by_key` takes the last of those that are even.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(key, _)| key)
}
