//! Every algorithm of the layer's locks under every modelled backend: what is locked, and what the
//! threads do with it, does not hang on which lock it is.

use std::sync::{Barrier, Once};
use std::time::{Duration, Instant};

use lockimpls::witness::{self, CLASSES, Class, counters};
use lockimpls::{
    Algorithm, Ambient, Backend, Config, Errno, Fd, Layer, MsgFlags, Shutdown, SockAddr, SockType,
    backends,
};

const NONE: MsgFlags = MsgFlags::empty();

/// For how long no call may return while some thread is inside one.
const HANG_AFTER: Duration = Duration::from_secs(60);

/// Ends the process with a report where threads wait for ever.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::thread::spawn(|| {
            let mut last = (Instant::now(), witness::progress());
            loop {
                std::thread::sleep(Duration::from_millis(200));
                let now = witness::progress();
                if !witness::is_stuck(&last.1, &now) {
                    last = (Instant::now(), now);
                } else if last.0.elapsed() > HANG_AFTER {
                    witness::report_hang(HANG_AFTER);
                }
            }
        });
    });
}

fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

/// A layer of each modelled backend with locks of this algorithm; it must be empty afterwards.
fn on_each(lock: Algorithm, ambient: Ambient, run: impl Fn(&Backend, &dyn Layer)) {
    watch();
    for backend in backends().iter().filter(|backend| backend.modelled) {
        let config = Config { lock, ambient, ..Config::default() };
        let layer = anylock::open(backend, &config).unwrap();
        run(backend, &*layer);
        layer.check_end();
    }
}

/// Requests of one thread of which none waits: what each lock's class was taken, and how often.
fn one_of_each(layer: &dyn Layer) -> Vec<(Class, u64)> {
    let before = counters();
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    assert_eq!(layer.send(a, b"abc", NONE), Ok(3));
    assert_eq!(layer.send(b, b"de", NONE), Ok(2));
    let mut data = [0; 8];
    assert_eq!(layer.recv(b, &mut data, NONE), Ok(3));
    assert_eq!(&data[..3], b"abc");
    assert_eq!(layer.recv(a, &mut data, MsgFlags::DONTWAIT), Ok(2));
    assert_eq!(layer.recv(a, &mut data, MsgFlags::DONTWAIT), Err(Errno::Ewouldblock));
    let (head, client) = (layer.socket(SockType::Stream).unwrap(), layer.socket(SockType::Stream));
    let client = client.unwrap();
    layer.bind(head, &name("head")).unwrap();
    layer.listen(head, 1).unwrap();
    layer.connect(client, &name("head")).unwrap();
    let (server, _) = layer.accept(head).unwrap();
    assert_eq!(layer.send(client, b"f", NONE), Ok(1));
    layer.shutdown(client, Shutdown::Write).unwrap();
    assert_eq!(layer.recv(server, &mut data, NONE), Ok(1));
    assert_eq!(layer.recv(server, &mut data, NONE), Ok(0));
    layer.unlink(&name("head")).unwrap();
    [a, b, head, client, server].into_iter().for_each(|s| layer.close(s).unwrap());
    let counts = counters().since(&before);
    let all = Class::ALL.into_iter().map(|class| (class, counts.of(class).acquisitions));
    let all: Vec<(Class, u64)> = all.collect();
    assert_eq!(all.len(), CLASSES - 1);
    all
}

/// How many bytes each thread sends to the other, and how many at once: more than the buffers hold,
/// so that both wait.
const BYTES: usize = 40_000;
const AT_ONCE: usize = 1_000;

/// Two threads, each sending to the other through one pair and receiving from it through another.
fn both_ways(layer: &dyn Layer) {
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    let (c, d) = layer.socketpair(SockType::Stream).unwrap();
    let start = Barrier::new(2);
    std::thread::scope(|threads| {
        for (from, to, is_first) in [(a, d, true), (c, b, false)] {
            let start = &start;
            threads.spawn(move || {
                start.wait();
                let ways = [is_first, !is_first];
                ways.iter()
                    .for_each(|sends| if *sends { send(layer, from) } else { receive(layer, to) });
            });
        }
    });
    [a, b, c, d].into_iter().for_each(|s| layer.close(s).unwrap());
}

fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

fn send(layer: &dyn Layer, s: Fd) {
    let data: Vec<u8> = (0..BYTES).map(byte).collect();
    for part in data.chunks(AT_ONCE) {
        assert_eq!(layer.send(s, part, NONE), Ok(part.len()));
    }
}

fn receive(layer: &dyn Layer, s: Fd) {
    let (mut data, mut got) = ([0; AT_ONCE], 0);
    while got < BYTES {
        let n = layer.recv(s, &mut data, NONE).unwrap();
        assert!(data[..n].iter().enumerate().all(|(i, found)| *found == byte(got + i)));
        got += n;
    }
}

#[test]
fn which_lock_it_is_changes_no_answer_and_no_count() {
    let mut expected = Vec::new();
    for lock in Algorithm::ALL {
        let found = std::cell::RefCell::new(Vec::new());
        on_each(lock, Ambient::empty(), |backend, layer| {
            found.borrow_mut().push((backend.name, one_of_each(layer)));
        });
        let found = found.into_inner();
        if lock == Algorithm::default() {
            assert!(found.iter().all(|(_, counts)| counts.iter().any(|(_, n)| *n > 10)));
            expected = found;
        } else {
            assert_eq!(found, expected, "with {}", lock.name());
        }
    }
}

#[test]
fn two_threads_wait_for_each_other_on_every_lock() {
    for lock in Algorithm::ALL {
        on_each(lock, Ambient::empty(), |_, layer| both_ways(layer));
    }
}

#[test]
fn two_threads_wait_for_each_other_on_every_lock_inside_the_kernels() {
    for lock in Algorithm::ALL {
        on_each(lock, Ambient::all(), |_, layer| both_ways(layer));
    }
}

/// A layer that is compiled for one algorithm is not made with another.
#[test]
fn a_layer_of_one_algorithm_refuses_the_others() {
    for backend in backends() {
        let others = Algorithm::ALL.into_iter().filter(|lock| *lock != Algorithm::default());
        for config in others.map(|lock| Config { lock, ..Config::default() }) {
            let (own, any) =
                ((backend.open)(&config).err(), anylock::open(&backend, &config).err());
            let expected = if backend.modelled {
                (Some(Errno::Einval), None)
            } else {
                (Some(Errno::Eopnotsupp), Some(Errno::Eopnotsupp))
            };
            assert_eq!((own, any), expected, "{}", backend.name);
        }
    }
}
