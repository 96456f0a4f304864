//! A slice on locks that keep a profile.

use std::sync::{Mutex, PoisonError};

use lockimpls::Backend;
use profiled::Profile;
use workloads::Kind;

use super::{Outcome, Slice, drive, on_layer, run_lane};
use crate::locks;
use crate::meter::ProfileMeter;

/// What a slice on locks that keep a profile measured, and their profile.
pub type Profiled = (Outcome, Profile);

/// Runs a workload on a backend whose locks keep a profile: that of all lanes in the measured time,
/// and what they counted in it. What is measured is said of such locks alone.
///
/// # Errors
/// As [`run`](super::run).
pub fn profile<K: Kind>(backend: &Backend, slice: &Slice<'_>) -> Result<Profiled, String> {
    let all = Mutex::new(Profile::default());
    let outcome = on_layer::<K>(backend, slice, locks::open_profiled, |start, layer, workload| {
        drive(start, &|lane, ready| {
            let done = run_lane::<K::On, ProfileMeter<'_>>(start, layer, workload, lane, ready);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            profiled::take().into_iter().for_each(|profile| all.add(profile));
            done
        })
    })?;
    Ok((outcome, all.into_inner().unwrap_or_else(PoisonError::into_inner)))
}
