//! What the workloads open, and the sums they compare when they close it.

use lockimpls::witness::Check;
use lockimpls::{Errno, Fd, Layer, SockAddr, SockType};

use crate::call::Place;
use crate::{LaneSums, Plan};

/// Connected pairs; the first end of each has the lower address in a layer where nothing was
/// closed.
pub(crate) type Pairs = Vec<(Fd, Fd)>;

/// Opens pairs, all or none.
pub(crate) fn open_pairs(domain: &dyn Layer, count: usize, kind: SockType) -> Result<Pairs, Errno> {
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        match domain.socketpair(kind) {
            Ok(pair) => pairs.push(pair),
            Err(errno) => {
                close_all(domain, pairs.into_iter().flat_map(|(a, b)| [a, b]));
                return Err(errno);
            }
        }
    }
    Ok(pairs)
}

/// Closes descriptors, none of which may fail.
pub(crate) fn close_all(domain: &dyn Layer, socks: impl IntoIterator<Item = Fd>) {
    for sock in socks {
        if let Err(errno) = domain.close(sock) {
            panic!("closing {sock:?} of {} gave {errno}", domain.name());
        }
    }
}

/// Closes both ends of every pair.
pub(crate) fn close_pairs(domain: &dyn Layer, pairs: Pairs) {
    close_all(domain, pairs.into_iter().flat_map(|(a, b)| [a, b]));
}

/// The names `base.0`, `base.1` ...
pub(crate) fn names(base: &str, count: usize) -> Result<Vec<SockAddr>, Errno> {
    (0..count).map(|i| SockAddr::new(format!("{base}.{i}"))).collect()
}

/// All lanes together.
pub(crate) fn total(sums: &[LaneSums]) -> LaneSums {
    sums.iter().fold(LaneSums::default(), |all, one| LaneSums {
        messages_sent: all.messages_sent + one.messages_sent,
        bytes_sent: all.bytes_sent + one.bytes_sent,
        messages_received: all.messages_received + one.messages_received,
        bytes_received: all.bytes_received + one.bytes_received,
        refusals: all.refusals + one.refusals,
    })
}

/// All that was sent must have been received.
pub(crate) fn verify_all_received(
    workload: &'static str,
    backend: &'static str,
    sums: &[LaneSums],
) {
    let all = total(sums);
    let messages = all.messages_sent.abs_diff(all.messages_received);
    let bytes = all.bytes_sent.abs_diff(all.bytes_received);
    if messages != 0 || bytes != 0 {
        let place = Place { workload, backend, lane: sums.len() };
        let what = format!(
            "all lanes sent {} messages ({} bytes) and received {} ({})",
            all.messages_sent, all.bytes_sent, all.messages_received, all.bytes_received
        );
        place.report(Check::BytesLost, messages.max(bytes), &what);
    }
}

/// Lanes that work in twos.
pub(crate) fn fits_even(plan: &Plan) -> Result<(), String> {
    if plan.threads.is_multiple_of(2) {
        return Ok(());
    }
    Err(format!(
        "its threads work in twos, and {} is odd; ask for --threads {}",
        plan.threads,
        plan.threads + 1
    ))
}

/// Messages that must hold this much of their head to be verified.
pub(crate) fn fits_bytes(plan: &Plan, bytes: usize, what: &str) -> Result<(), String> {
    if plan.message_bytes >= bytes {
        return Ok(());
    }
    Err(format!(
        "a message of {} bytes has no room for {what}; ask for --size {bytes} or more",
        plan.message_bytes
    ))
}
