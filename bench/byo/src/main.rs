//! solock, with a layer, a lock and a workload of one's own.

mod sharded;
mod tas;
mod volley;

use std::process::ExitCode;

use solock::seam::Class;

fn main() -> ExitCode {
    solock::program!()
        .class(Class::Own1, "shard")
        .backend::<sharded::Sharded>()
        .lock::<tas::Tas>()
        .workload::<volley::Volley>()
        .main()
}
