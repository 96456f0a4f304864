//! Profiles of whole layers: their counts are the layer's own, class by class.

use lockimpls::witness::{Class, Counters, LockCounts, counters, thread_number};
use lockimpls::{
    Algorithm, Ambient, Backend, Config, Errno, Layer, MsgFlags, Shutdown, SockAddr, SockType,
    backends,
};
use profiled::{Place, Profile};
use quanta::Clock;

const NONE: MsgFlags = MsgFlags::empty();
const MESSAGES: u64 = 10;

fn modelled() -> impl Iterator<Item = Backend> {
    backends().into_iter().filter(|backend| backend.modelled)
}

fn named(name: &str) -> Backend {
    backends().into_iter().find(|backend| backend.name == name).expect("a backend of that name")
}

fn open(backend: &Backend, lock: Algorithm) -> Box<dyn Layer> {
    profiled::open(backend, &Config { lock, ..Config::default() }).expect("a layer")
}

/// The profile and the counts of what the calling thread does.
fn profile_of(work: impl FnOnce()) -> (Profile, Counters) {
    thread_number();
    let before = counters();
    profiled::begin(Clock::new());
    work();
    (profiled::take().expect("it was begun"), counters().since(&before))
}

/// A sum over the places of a class.
fn sum(profile: &Profile, class: Class, of: fn(&Place) -> u64) -> u64 {
    profile.places.iter().filter(|place| place.class == class).map(of).sum()
}

fn same_counts(what: &str, profile: &Profile, counters: &Counters) {
    for class in Class::ALL.into_iter().filter(|class| class.is_lock()) {
        let LockCounts { acquisitions, contended, relocks, retries, saved, .. } =
            counters.of(class);
        let expected = [acquisitions, contended, relocks, retries, saved];
        let sums: [fn(&Place) -> u64; 5] = [
            |place| place.hold.count,
            |place| place.wait.count,
            |place| place.relocks,
            |place| place.retries,
            |place| place.saved,
        ];
        assert_eq!(sums.map(|of| sum(profile, class, of)), expected, "{what}: {class:?}");
        let known = profile.histograms.iter().find(|(known, _)| *known == class);
        let recorded = known.map_or([0, 0], |(_, met)| [met.hold.len(), met.wait.len()]);
        assert_eq!(recorded, [expected[0], expected[1]], "{what}: {class:?}");
    }
}

/// Calls of every kind: names, connections, descriptors in messages, ends.
fn a_life(layer: &dyn Layer) {
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    let mut data = [0; 64];
    for (from, to) in [(a, b), (b, a)] {
        for _ in 0..MESSAGES {
            assert_eq!(layer.send(from, &[7; 64], NONE), Ok(64));
            assert_eq!(layer.recv(to, &mut data, NONE), Ok(64));
        }
    }
    assert_eq!(layer.recv(a, &mut data, MsgFlags::DONTWAIT), Err(Errno::Ewouldblock));
    let rights = lockimpls::SendMsg { to: None, data: b"x", rights: &[a, b], flags: NONE };
    assert_eq!(layer.sendmsg(a, &rights), Ok(1));
    layer.shutdown(a, Shutdown::Write).unwrap();
    let name = SockAddr::new("/profiled").unwrap();
    let (head, client) = (layer.socket(SockType::Stream), layer.socket(SockType::Stream));
    let (head, client) = (head.unwrap(), client.unwrap());
    layer.bind(head, &name).unwrap();
    layer.listen(head, 1).unwrap();
    layer.connect(client, &name).unwrap();
    let (served, _) = layer.accept(head).unwrap();
    for fd in [a, b, head, client, served] {
        layer.close(fd).unwrap();
    }
    layer.unlink(&name).unwrap();
    layer.check_end();
}

#[test]
fn the_counts_of_every_backend_are_the_layers_own() {
    for backend in modelled() {
        for lock in [Algorithm::default(), Algorithm::Mcs] {
            let layer = open(&backend, lock);
            let (profile, counters) = profile_of(|| a_life(&*layer));
            same_counts(backend.name, &profile, &counters);
            assert!(counters.acquisitions() > 0);
        }
    }
}

#[test]
fn two_threads_on_one_pair_are_counted_whole() {
    for backend in modelled() {
        let layer = open(&backend, Algorithm::default());
        let (a, b) = layer.socketpair(SockType::Stream).unwrap();
        let layer = &*layer;
        let lane = move |own| {
            profile_of(|| {
                let mut data = [0; 64];
                for _ in 0..1000 {
                    assert_eq!(layer.send(own, &[7; 64], NONE), Ok(64));
                    assert_eq!(layer.recv(own, &mut data, NONE), Ok(64));
                }
            })
        };
        let both = std::thread::scope(|threads| {
            [a, b].map(|own| threads.spawn(move || lane(own))).map(|one| one.join().unwrap())
        });
        for (profile, counters) in &both {
            same_counts(backend.name, profile, counters);
        }
        [a, b].into_iter().for_each(|fd| layer.close(fd).unwrap());
        layer.check_end();
    }
}

#[test]
fn a_known_schedule_gives_known_counts() {
    let of = |name: &str| {
        let layer = open(&named(name), Algorithm::default());
        let (lower, higher) = layer.socketpair(SockType::Stream).unwrap();
        let exchange = |from, to| {
            let (profile, _) = profile_of(|| {
                for _ in 0..MESSAGES {
                    assert_eq!(layer.send(from, &[7; 64], NONE), Ok(64));
                    assert_eq!(layer.recv(to, &mut [0; 64], NONE), Ok(64));
                }
            });
            profile
        };
        [exchange(lower, higher), exchange(higher, lower)]
    };
    // A send locks, copies, locks; so does a receive.
    for profile in of("global") {
        assert_eq!(sum(&profile, Class::UnpLock, |place| place.hold.count), 4 * MESSAGES);
        assert_eq!(sum(&profile, Class::UnpLock, |place| place.relocks), 0);
        assert_eq!(profile.spent.of(profiled::Part::Relock), 0);
        // Another's lock it never was, and nobody waited.
        let strangers = |place: &Place| place.acq_bounces + place.con_bounces + place.wait.count;
        assert_eq!(profile.places.iter().map(strangers).sum::<u64>(), 0);
    }
    // The peer too, both times; and of the two that meet the peer, the higher relocks.
    for profile in of("per-socket") {
        assert_eq!(sum(&profile, Class::SoLock, |place| place.hold.count), 7 * MESSAGES);
        assert_eq!(sum(&profile, Class::SoLock, |place| place.relocks), MESSAGES);
        let at: Vec<&Place> = profile.places.iter().filter(|place| place.relocks > 0).collect();
        assert!(at.iter().all(|place| place.at.contains("uipc/")), "{at:?}");
        assert_eq!(sum(&profile, Class::SoLock, |place| place.saved), 0);
        assert!(profile.spent.of(profiled::Part::Relock) > 0);
    }
    // There the higher one tries first, and nobody else has the lower.
    for profile in of("per-socket-try") {
        assert_eq!(sum(&profile, Class::SoLock, |place| place.hold.count), 6 * MESSAGES);
        let of_relocks: [fn(&Place) -> u64; 2] = [|place| place.relocks, |place| place.saved];
        assert_eq!(of_relocks.map(|of| sum(&profile, Class::SoLock, of)), [0, MESSAGES]);
        let at: Vec<&Place> = profile.places.iter().filter(|place| place.saved > 0).collect();
        assert!(at.iter().all(|place| place.at.contains("uipc/")), "{at:?}");
        assert_eq!(profile.spent.of(profiled::Part::Relock), 0);
    }
}

#[test]
fn without_locks_there_is_no_place_and_a_copy_all_the_same() {
    let layer = open(&named("lock-free"), Algorithm::default());
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    let exchange = || {
        assert_eq!(layer.send(a, &[7; 64], NONE), Ok(64));
        assert_eq!(layer.recv(b, &mut [0; 64], NONE), Ok(64));
    };
    // It takes some calls until the gate is open.
    (0..1000).for_each(|_| exchange());
    let (profile, counters) = profile_of(|| (0..MESSAGES).for_each(|_| exchange()));
    assert_eq!((counters.fast_sends, counters.acquisitions()), (MESSAGES, 0));
    assert!(profile.places.is_empty() && profile.histograms.is_empty());
    assert!(profile.spent.of(profiled::Part::Copy) > 0);
}

#[test]
fn what_keeps_no_profile_is_refused() {
    let open = |name: &str, config: &Config| profiled::open(&named(name), config).map(|_| ());
    assert_eq!(open("host", &Config::default()), Err(Errno::Eopnotsupp));
    let ambient = Config { ambient: Ambient::all(), ..Config::default() };
    assert_eq!(open("global", &ambient), Err(Errno::Eopnotsupp));
}
