//! A slice on locks that keep a profile.

use std::sync::{Mutex, PoisonError};

use profiled::Profile;

use super::{OneLane, Outcome, Slice, With, drive, on_layer};
use crate::locks;
use crate::matrix::Case;

/// What a slice on locks that keep a profile measured, and their profile.
pub type Profiled = (Outcome, Profile);

/// Runs a workload on a backend whose locks keep a profile: that of all lanes in the measured time,
/// and what they counted in it. What is measured is said of such locks alone.
///
/// # Errors
/// As [`run`](super::run).
pub fn profile(case: &Case, slice: &Slice<'_>) -> Result<Profiled, String> {
    let all = Mutex::new(Profile::default());
    let outcome = on_layer(case, slice, locks::open_profiled, &|start, layer, workload| {
        drive(start, &|number, ready| {
            let done = workload.lane(start, With::Profile, &OneLane { layer, number, ready });
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            profiled::take().into_iter().for_each(|profile| all.add(profile));
            done
        })
    })?;
    Ok((outcome, all.into_inner().unwrap_or_else(PoisonError::into_inner)))
}
