//! How the locks here spin.

use crate::primitives::{spin_loop, yield_now};

/// After so many looks a thread that spins gives up its processor once. In a kernel the holder is
/// on another one; here the machine may have taken it off.
const SPINS_TO_YIELD: u32 = 256;

/// Looks until it is so.
pub(crate) fn spin_until(mut is_so: impl FnMut() -> bool) {
    let mut looks = 0_u32;
    while !is_so() {
        spin_loop();
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(SPINS_TO_YIELD) {
            yield_now();
        }
    }
}
