//! A workload of one's own: each thread has a pair, sends some messages into one end, and then
//! receives them all from the other.
//!
//! One operation is one such volley. Nothing is said about threads that meet.

use solock::seam::*;

/// Messages in a volley.
const MESSAGES: usize = 8;

pub struct Volley;

impl Kind for Volley {
    type On = On;
    const NAME: &'static str = "volley";
    const ABOUT: &'static str =
        "each thread sends eight messages on its own pair, then receives them";
    const OPERATION: &'static str = "eight messages sent and received by the same thread";
    const IS_PRIVATE: bool = true;

    fn fits(plan: &Plan) -> Result<(), String> {
        if plan.message_bytes <= 512 {
            return Ok(());
        }
        Err("eight messages must fit into a buffer; ask for --size 512 or less".to_owned())
    }
}

/// A pair for each thread.
pub struct On(Vec<(Fd, Fd)>, usize);

impl Workload for On {
    fn new(layer: &dyn Layer, plan: &Plan) -> Result<Self, Errno> {
        let pairs = (0..plan.threads).map(|_| layer.socketpair(plan.socket_type));
        Ok(On(pairs.collect::<Result<_, _>>()?, plan.message_bytes))
    }

    fn lane<M: Meter>(&self, layer: &dyn Layer, lane: usize, meter: &mut M) -> LaneSums {
        let ((one, other), mut sums) = (self.0[lane], LaneSums::default());
        let (mut sent, mut got) = (vec![0; self.1], vec![0; self.1]);
        meter.skip();
        while meter.running() {
            for number in 0..MESSAGES {
                sent.fill(number as u8);
                let bytes = layer.send(one, &sent, MsgFlags::DONTWAIT).expect("there is room");
                sums.messages_sent += 1;
                sums.bytes_sent += bytes as u64;
                meter.lap(Event::Send);
            }
            for number in 0..MESSAGES {
                let bytes = layer.recv(other, &mut got, MsgFlags::DONTWAIT).expect("it was sent");
                sums.messages_received += 1;
                sums.bytes_received += bytes as u64;
                if bytes != self.1 || got.iter().any(|byte| *byte != number as u8) {
                    let what = format!("volley, lane {lane}: message {number} is another one");
                    report_data(Check::OutOfOrder, 1, layer.name(), &what);
                }
                meter.lap(Event::Receive);
            }
        }
        sums
    }

    fn finish(self, layer: &dyn Layer, _: &[LaneSums]) {
        for end in self.0.into_iter().flat_map(|(one, other)| [one, other]) {
            layer.close(end).expect("it is open");
        }
    }
}
