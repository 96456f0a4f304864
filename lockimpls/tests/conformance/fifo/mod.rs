//! Fifos: the same cases on every modelled backend and on the machine's own.

mod begun;
#[cfg(target_os = "linux")]
mod host;
mod threads;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
#[cfg(target_os = "linux")]
use std::time::Duration;

use lockimpls::witness::{Class, counters};
use lockimpls::{
    Checked, Config, Domain, Errno, Fifo, FifoFile, Fifofs, OpenMode, SockType, Visitor, visit_all,
};

use self::begun::Begun;
use crate::battery::{configs_of, every_wait, watch};

/// How long the machine has for all it is asked.
#[cfg(target_os = "linux")]
const LIMIT: Duration = Duration::from_secs(60);

/// A test of fifos. It is generic over the layer, because a fifo's type names its layer's.
trait OnFifos {
    /// Runs it; it closes every fifo it has made.
    fn run<D: Fifofs>(&self, layer: &Checked<D>);
}

/// As [`crate::battery::on_every_backend`].
fn on_every_layer(config: &Config, case: &impl OnFifos) {
    struct OnEach<'a, C>(&'a Config, &'a C);
    impl<C: OnFifos> Visitor for OnEach<'_, C> {
        fn visit<D: Fifofs>(&mut self) {
            let configs = if D::MODELLED { configs_of(D::NAME, self.0) } else { Vec::new() };
            for config in configs {
                let layer = Checked::<D>::new(&config).unwrap();
                self.1.run(&layer);
                layer.check_end();
            }
        }
    }
    watch();
    visit_all(&mut OnEach(config, case));
}

/// Declares a test: its body runs on every backend with each of these configurations.
macro_rules! fifo_case {
    ($test:ident, $configs:expr, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl OnFifos for This {
                fn run<D: Fifofs>(&self, $layer: &Checked<D>) $body
            }
            for config in $configs {
                on_every_layer(&config, &This);
            }
        }
    };
}

/// What a fifo answers.
const CASES: &str = include_str!("cases.txt");

/// A case: its name and its steps.
struct Case {
    name: &'static str,
    steps: Vec<&'static str>,
}

/// Every case.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(step) => cases.last_mut().unwrap().steps.push(step),
            None => cases.push(Case { name: line, steps: Vec::new() }),
        }
    }
    cases
}

/// A fifo, of whichever kind.
trait Fifos: Sync {
    type File<'f>: Send + Sync
    where
        Self: 'f;
    /// Whether it is a layer's.
    const MODELLED: bool;

    fn open(&self, mode: OpenMode) -> Result<Self::File<'_>, Errno>;
    fn read(file: &Self::File<'_>, data: &mut [u8]) -> Result<usize, Errno>;
    fn write(file: &Self::File<'_>, data: &[u8]) -> Result<usize, Errno>;
    fn close(file: Self::File<'_>);
}

impl<D: Fifofs> Fifos for Fifo<'_, D> {
    type File<'f>
        = FifoFile<'f, D>
    where
        Self: 'f;
    const MODELLED: bool = true;

    fn open(&self, mode: OpenMode) -> Result<FifoFile<'_, D>, Errno> {
        Fifo::open(self, mode)
    }

    fn read(file: &FifoFile<'_, D>, data: &mut [u8]) -> Result<usize, Errno> {
        file.read(data)
    }

    fn write(file: &FifoFile<'_, D>, data: &[u8]) -> Result<usize, Errno> {
        file.write(data)
    }

    fn close(file: FifoFile<'_, D>) {
        file.close();
    }
}

/// A case under way: the files it has open, by name.
struct Run<'f, F: Fifos + 'f> {
    fifo: &'f F,
    files: Mutex<HashMap<&'static str, Arc<F::File<'f>>>>,
}

impl<'f, F: Fifos> Run<'f, F> {
    fn file(&self, name: &str) -> Arc<F::File<'f>> {
        Arc::clone(&self.files.lock().unwrap()[name])
    }

    /// Makes a call: what it answered.
    fn call(&self, words: &[&'static str]) -> String {
        let result = match *words {
            ["open", name, mode] => self.open(name, mode),
            ["read", name, room] => self.read(name, room.parse().unwrap()),
            ["write", name, data] => F::write(&self.file(name), &bytes(data)).map(text),
            ["fill", name, data] => Ok(text(self.fill(name, &bytes(data)))),
            ["close", name] => {
                let file = self.files.lock().unwrap().remove(name).unwrap();
                F::close(Arc::into_inner(file).expect("no call uses the file"));
                Ok("ok".into())
            }
            _ => panic!("no such call: {words:?}"),
        };
        result.unwrap_or_else(|errno| errno.name().into())
    }

    fn open(&self, name: &'static str, mode: &str) -> Result<String, Errno> {
        let flag = |letter| match letter {
            'r' => OpenMode::READ,
            'w' => OpenMode::WRITE,
            'n' => OpenMode::NONBLOCK,
            _ => panic!("no such mode: {letter}"),
        };
        let file = self.fifo.open(mode.chars().map(flag).collect())?;
        let before = self.files.lock().unwrap().insert(name, Arc::new(file));
        assert!(before.is_none(), "{name} is open");
        Ok("ok".into())
    }

    fn read(&self, name: &str, room: usize) -> Result<String, Errno> {
        let mut data = vec![0; room];
        let count = F::read(&self.file(name), &mut data)?;
        data.truncate(count);
        if count == 0 {
            return Ok("end".into());
        }
        if count > 16 {
            assert_eq!(data, bytes(&text(count)));
            return Ok(format!("{count} bytes"));
        }
        Ok(String::from_utf8(data).unwrap())
    }

    fn fill(&self, name: &str, data: &[u8]) -> usize {
        let mut times = 0;
        loop {
            match F::write(&self.file(name), data) {
                Ok(count) => assert_eq!(count, data.len()),
                Err(errno) => {
                    assert_eq!(errno, Errno::Ewouldblock);
                    return times;
                }
            }
            times += 1;
        }
    }

    /// Makes all calls of a case: the steps as they went.
    fn all(&self, steps: &[&'static str]) -> Vec<String> {
        std::thread::scope(|scope| {
            let mut threads = HashMap::new();
            let mut step = |step: &'static str| {
                let (call, _) = step.split_once(" = ").unwrap();
                let words: Vec<_> = call.split(' ').collect();
                let answer = match words[..] {
                    ["begin", thread, ..] => {
                        let words = words[2..].to_vec();
                        let begun = Begun::new(scope, F::MODELLED, move || self.call(&words));
                        threads.insert(thread, begun);
                        threads[thread].state()
                    }
                    ["still", thread] => threads[thread].state(),
                    ["end", thread] => threads.remove(thread).unwrap().end(),
                    _ => self.call(&words),
                };
                format!("{call} = {answer}")
            };
            steps.iter().map(|line| step(line)).collect()
        })
    }
}

fn text(count: usize) -> String {
    count.to_string()
}

/// A word, or a number of bytes.
fn bytes(data: &str) -> Vec<u8> {
    data.parse().map_or_else(|_| data.as_bytes().to_vec(), |count| vec![b'x'; count])
}

/// Runs a case, which must go as `expected`.
#[track_caller]
fn goes<F: Fifos>(fifo: &F, Case { name, steps }: &Case, expected: &[&str]) {
    let run = Run { fifo, files: Mutex::new(HashMap::new()) };
    assert_eq!(run.all(steps), expected, "{name}");
    assert!(run.files.lock().unwrap().is_empty(), "{name}: files are open");
}

fn nothing_is_left<D: Domain>(layer: &Checked<D>) {
    assert!(layer.pools().iter().all(|pool| pool.in_use == 0), "{:?}", layer.pools());
}

fifo_case!(every_case_goes_as_in_openbsd, every_wait(), layer, {
    for case in cases() {
        goes(&layer.mkfifo(), &case, &case.steps);
        nothing_is_left(layer);
    }
});

/// What the machine must answer to a step of a case.
#[cfg(target_os = "linux")]
fn on_linux(case: &str, step: &'static str) -> &'static str {
    let row = host::ALLOWED.iter().find(|row| (row.0, row.1) == (case, step));
    row.map_or(step, |row| row.2)
}

#[cfg(target_os = "linux")]
#[test]
fn every_case_goes_on_the_machine_as_allowed() {
    limited(|| {
        for case in cases() {
            let expected: Vec<_> =
                case.steps.iter().map(|step| on_linux(case.name, step)).collect();
            goes(&host::HostFifo::new(), &case, &expected);
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn every_allowed_difference_is_of_a_case() {
    for (name, openbsd, linux, _) in host::ALLOWED {
        let case = cases().into_iter().find(|case| case.name == *name).unwrap();
        let times = case.steps.iter().filter(|step| *step == openbsd).count();
        assert_eq!(times, 1, "{name}: {openbsd}");
        assert_ne!(openbsd, linux);
    }
}

#[test]
#[should_panic(expected = "a fifo that is not so")]
fn a_case_that_goes_otherwise_fails() {
    on_every_layer(&Config::default(), &Otherwise);
}

struct Otherwise;

impl OnFifos for Otherwise {
    fn run<D: Fifofs>(&self, layer: &Checked<D>) {
        let case = Case { name: "a fifo that is not so", steps: vec!["open w wn = ENXIO"] };
        goes(&layer.mkfifo(), &case, &["open w wn = ok"]);
    }
}

fifo_case!(messages_are_whole, every_wait(), layer, {
    threads::messages_are_whole(&layer.mkfifo());
});

fifo_case!(both_sides_meet, every_wait(), layer, {
    threads::both_sides_meet(&layer.mkfifo());
});

fifo_case!(a_reader_comes_and_goes, every_wait(), layer, {
    threads::a_reader_comes_and_goes(&layer.mkfifo());
});

#[cfg(target_os = "linux")]
#[test]
fn threads_on_the_machine() {
    limited(|| {
        threads::messages_are_whole(&host::HostFifo::new());
        threads::both_sides_meet(&host::HostFifo::new());
        threads::a_reader_comes_and_goes(&host::HostFifo::new());
    });
}

/// Runs what may hang in the machine, where no watchdog sees it.
#[cfg(target_os = "linux")]
fn limited(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    if is_done.recv_timeout(LIMIT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        panic!("the machine's fifo hangs");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fifo_case!(a_fifo_never_goes_the_fast_way, [Config::default()], layer, {
    let fifo = layer.mkfifo();
    let mode = OpenMode::NONBLOCK;
    let reader = fifo.open(mode | OpenMode::READ).unwrap();
    let writer = fifo.open(mode | OpenMode::WRITE).unwrap();
    let before = counters();
    for _ in 0..1000 {
        assert_eq!((writer.write(b"x"), reader.read(&mut [0])), (Ok(1), Ok(1)));
    }
    let counts = counters().since(&before);
    assert_eq!(counts.fast_sends + counts.fast_receives + counts.gate_closings, 0);
    // Each call locks the vnode to find the socket, and again afterwards.
    assert_eq!(counts.of(Class::Vnode).acquisitions, 4000);
    writer.close();
    reader.close();
});

fifo_case!(an_open_without_room_for_two_sockets, [two_sockets()], layer, {
    let fifo = layer.mkfifo();
    let mode = OpenMode::READ | OpenMode::NONBLOCK;
    let socket = layer.socket(SockType::Stream).unwrap();
    for _ in 0..2 {
        assert_eq!(fifo.open(mode).map(FifoFile::close), Err(Errno::Enobufs));
    }
    layer.close(socket).unwrap();
    nothing_is_left(layer);
    fifo.open(mode).unwrap().close();
});

fn two_sockets() -> Config {
    Config { sockets_max: 2, ..Config::default() }
}

#[test]
fn host_has_no_fifos() {
    struct OnHost;
    impl Visitor for OnHost {
        fn visit<D: Fifofs>(&mut self) {
            if D::NAME == "host" {
                let layer = Checked::<D>::new(&Config::default()).unwrap();
                let opened = layer.mkfifo().open(OpenMode::READ).map(FifoFile::close);
                assert_eq!(opened, Err(Errno::Eopnotsupp));
            }
        }
    }
    visit_all(&mut OnHost);
}
