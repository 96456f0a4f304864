//! The machine, the compiler and the commit: what every record carries, so that unlike is never
//! mixed.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::{env, fs};

use results::checksum::digits;
use results::{Host, units};

use crate::added::added;
use crate::cpus::{Cpus, core_of};

/// The compiler that built this program, as `rustc --version` prints it.
pub const RUSTC: &str = env!("SOLOCK_RUSTC");

/// What the compiler was told, such as `opt-level 3`: no commit says it, and other machine code
/// comes of it.
#[must_use]
pub fn build() -> String {
    let checked = if cfg!(debug_assertions) { ", debug assertions" } else { "" };
    let flags = env!("SOLOCK_RUSTFLAGS");
    let flags = if flags.is_empty() { flags } else { &format!(", RUSTFLAGS {flags}") };
    format!("opt-level {}{checked}{flags}", env!("SOLOCK_OPT_LEVEL"))
}

/// The commit this program was built from, if it was built in a checkout; of a program of another
/// crate that one's, if its build said so.
#[must_use]
pub fn commit() -> Option<String> {
    let own = added().built_from.map(|own| own.commit());
    own.unwrap_or(option_env!("SOLOCK_COMMIT")).map(str::to_owned)
}

/// Whether a tracked file differed from that commit; of a program of another crate, if its build
/// said so.
#[must_use]
pub fn dirty() -> Option<bool> {
    let own = added().built_from.map(|own| own.dirty());
    own.unwrap_or_else(|| option_env!("SOLOCK_DIRTY").map(|dirty| dirty == "true"))
}

/// Eight digits for this program's file, where no commit says what it is: that was changed, or is
/// unknown, or the program is of another crate, which is built of what lies beside it, too.
#[must_use]
pub fn program() -> Option<String> {
    static DIGITS: OnceLock<String> = OnceLock::new();
    let is_said = added().built_from.is_none() && commit().is_some() && dirty() == Some(false);
    let file = || fs::read("/proc/self/exe").or_else(|_| fs::read(env::current_exe()?));
    let digits = || file().map_or_else(|_| "unreadable".to_owned(), |bytes| digits(&bytes));
    (!is_said).then(|| DIGITS.get_or_init(digits).clone())
}

/// The machine this program runs on.
#[must_use]
pub fn describe(cpus: &Cpus) -> Host {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    Host {
        cpu: cpu_name(&cpuinfo),
        cpus: cpus.allowed_count() as u32,
        topology: topology(),
        kernel: kernel(),
        virtualised: virtualised(&cpuinfo),
        governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    }
}

/// The first line of a file, if there is one.
fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned()).filter(|line| !line.is_empty())
}

fn cpu_name(cpuinfo: &str) -> String {
    let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    name.and_then(|rest| rest.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// Packages, cores and threads of the whole machine, allowed or not.
fn topology() -> String {
    let online: Vec<usize> = fs::read_dir("/sys/devices/system/cpu")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("cpu")?.parse().ok())
        .collect();
    if online.is_empty() {
        return "unknown".to_owned();
    }
    let cores: BTreeSet<(usize, usize)> = online.iter().map(|cpu| core_of(*cpu)).collect();
    let packages: BTreeSet<usize> = cores.iter().map(|core| core.0).collect();
    let counts = [(packages.len(), "package"), (cores.len(), "core"), (online.len(), "thread")];
    counts.map(|(n, what)| units::counted(n, what)).join(", ")
}

fn kernel() -> String {
    let part = |name: &str| line(&format!("/proc/sys/kernel/{name}"));
    match (part("ostype"), part("osrelease")) {
        (Some(system), Some(release)) => format!("{system} {release}"),
        _ => std::env::consts::OS.to_owned(),
    }
}

/// The hypervisor's name, or "unknown hypervisor" where only the processor admits to one.
fn virtualised(cpuinfo: &str) -> Option<String> {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    let named = line("/sys/hypervisor/type").or_else(|| line("/sys/class/dmi/id/sys_vendor"));
    Some(named.unwrap_or_else(|| "unknown hypervisor".to_owned()))
}

/// The most memory this process ever had, as Linux prints it; `unknown` elsewhere.
#[must_use]
pub fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |kib| kib.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(cpu_name("vendor\nmodel name\t: A B: C\nmodel name : D"), "A B: C");
        assert_eq!(cpu_name(""), std::env::consts::ARCH);
    }

    #[test]
    fn a_guest_says_so() {
        assert_eq!(virtualised("flags : fpu sse"), None);
        assert!(virtualised("flags : fpu hypervisor sse").is_some());
    }

    #[test]
    fn a_program_that_no_commit_describes_has_digits() {
        let is_said = commit().is_some() && dirty() == Some(false);
        let bytes = fs::read(env::current_exe().unwrap()).unwrap();
        assert_eq!(program(), (!is_said).then(|| digits(&bytes)));
    }

    #[test]
    fn this_machine_is_described() {
        let host = describe(&Cpus::allowed().unwrap());
        assert!(host.cpus > 0 && !host.cpu.is_empty() && !host.kernel.is_empty(), "{host:?}");
        assert!(RUSTC.starts_with("rustc "));
        assert_eq!(build().contains(", debug assertions"), cfg!(debug_assertions));
        assert_eq!(build().contains(", RUSTFLAGS "), !env!("SOLOCK_RUSTFLAGS").is_empty());
        let level = build().strip_prefix("opt-level ").and_then(|rest| rest.chars().next());
        assert!(level.is_some_and(|level| "0123sz".contains(level)), "{}", build());
    }
}
