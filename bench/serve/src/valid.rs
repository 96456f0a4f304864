//! What the coordinates of a cell, and times, can be: everything that can be wrong with them,
//! refused before anything runs.

use std::time::Duration;

use lockimpls::{Algorithm, Ambient, Config, SockType, WaitStrategy};

use crate::locks;
use crate::matrix;
use crate::number::shown;
use crate::pool::THREADS_MAX;
use crate::watchdog;

/// The longest message, in bytes, that a stream is asked to carry.
const STREAM_BYTES_MAX: usize = 1 << 20;
const SECONDS_MAX: f64 = 3_600.0;

/// Each value once, in the order in which they first come.
#[must_use]
pub fn distinct<T: PartialEq + Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// Values that have names; of nothing: the first.
///
/// # Errors
/// A name means nothing.
pub fn named<T: Copy + PartialEq>(
    asked: &[String],
    what: &str,
    valid: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, String> {
    if asked.is_empty() {
        return Ok(vec![valid[0]]);
    }
    let names: Vec<&str> = valid.iter().map(|one| name(*one)).collect();
    asked.iter().try_for_each(|asked| matrix::check_name(what, asked, &names))?;
    let found = asked.iter().filter_map(|asked| names.iter().position(|name| name == asked));
    Ok(distinct(found.map(|index| valid[index])))
}

/// The length of a message, if one of this type can have it.
///
/// # Errors
/// It cannot.
pub fn size(bytes: usize, kind: SockType) -> Result<usize, String> {
    let config = Config::default();
    let (limit, why) = match kind {
        SockType::Stream => (STREAM_BYTES_MAX, "the longest message that is tried"),
        SockType::Dgram => (config.dgram_send_bytes, "the longest datagram of the layer"),
        SockType::Seqpacket => (config.pipsiz_bytes, "a record must fit into the buffer"),
    };
    if (1..=limit).contains(&bytes) {
        return Ok(bytes);
    }
    let name = kind.name();
    Err(format!("--size {bytes}: a message of type {name} has 1 to {limit} bytes ({why})"))
}

/// The number of threads, if there can be that many.
///
/// # Errors
/// There cannot.
pub fn thread_count(threads: usize) -> Result<usize, String> {
    if (1..=THREADS_MAX).contains(&threads) {
        return Ok(threads);
    }
    Err(format!("{threads} is no number of threads; valid are 1 to {THREADS_MAX}"))
}

/// The type of that name.
///
/// # Errors
/// There is none.
pub fn socket_type(asked: &str) -> Result<SockType, String> {
    Ok(named(&[asked.to_owned()], "type", &SockType::ALL, SockType::name)?[0])
}

/// The way to wait of that name.
///
/// # Errors
/// There is none.
pub fn wait(asked: &str) -> Result<WaitStrategy, String> {
    Ok(named(&[asked.to_owned()], "way to wait", &WaitStrategy::ALL, WaitStrategy::name)?[0])
}

/// The set of no locks.
pub const NO_AMBIENT: &str = "none";

/// The locks around the layer of these names.
///
/// # Errors
/// There is none of such a name.
pub fn ambient(names: &[impl AsRef<str>]) -> Result<Ambient, String> {
    let mut valid = Ambient::all().names();
    valid.extend([Ambient::ALL.0, NO_AMBIENT]);
    let mut ambient = Ambient::empty();
    for name in names.iter().map(AsRef::as_ref) {
        matrix::check_name("lock around the layer", name, &valid)?;
        ambient |= Ambient::of_name(name).ok_or_else(|| {
            format!("--ambient: {NO_AMBIENT} cannot be taken together with others")
        })?;
    }
    Ok(ambient)
}

/// The algorithm of a cell's locks; of none: the default, whose name no cell has, so that no two
/// names of cells are of one.
///
/// # Errors
/// There is none of that name, or it is the default's.
pub fn lock(asked: &str) -> Result<Algorithm, String> {
    if asked.is_empty() {
        return Ok(Algorithm::default());
    }
    if asked == Algorithm::default().name() {
        return Err(format!("{asked} is the default, and a cell with it names no lock"));
    }
    Ok(named(&[asked.to_owned()], "lock", &locks::all(), Algorithm::name)?[0])
}

/// A time that a user gave with a flag.
///
/// # Errors
/// It is none.
pub fn seconds(flag: &str, seconds: f64) -> Result<Duration, String> {
    if !(SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
        return Err(format!(
            "{flag} {}: valid are {SECONDS_MIN} to {SECONDS_MAX} seconds, fractions included",
            shown(seconds)
        ));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Shorter rounds would measure their own beginning and end.
const SECONDS_MIN: f64 = 0.001;

/// How long nothing may move before it is a hang.
///
/// # Errors
/// It is no time.
pub fn hang_limit(asked: Option<f64>) -> Result<Duration, String> {
    asked.map_or(Ok(watchdog::LIMIT), |limit| seconds("--hang-limit", limit))
}
