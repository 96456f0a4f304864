use super::*;
use crate::sync::RwLock;
use crate::witness::{counters, is_waiting, thread_number};

#[test]
fn each_lock_has_a_name_and_all_have_one_together() {
    for (lock, name, about) in Ambient::LOCKS {
        assert_eq!(Ambient::of_name(name), Some(lock));
        assert_eq!(lock.names(), [name]);
        assert!(!about.is_empty());
    }
    assert_eq!(Ambient::of_name(Ambient::ALL.0), Some(Ambient::all()));
    assert_eq!(Ambient::all().names(), ["kernel-lock", "fd-fplock", "f-mtx", "sched-lock"]);
    for name in ["", "kernel", "2022-06-30", "Kernel-Lock", "kernel-lock,f-mtx"] {
        assert_eq!(Ambient::of_name(name), None, "{name:?}");
    }
}

#[test]
fn a_ticket_lock_is_its_holders_alone_and_they_may_take_it_again() {
    let lock = MpLock::new();
    let free = || unreachable!("nobody has it");
    assert_eq!(lock.lock(free), Taken::Free);
    assert_eq!(lock.lock(free), Taken::Again);
    assert_eq!(lock.lock(free), Taken::Again);
    assert!(!lock.unlock());
    assert_eq!(lock.release_all(), 2);
    assert_eq!(lock.lock(free), Taken::Free);
    std::thread::scope(|threads| {
        let (tell, told) = std::sync::mpsc::channel();
        let lock = &lock;
        let other = threads.spawn(move || {
            let taken = lock.lock(|| tell.send(()).unwrap());
            assert!(lock.unlock());
            taken
        });
        told.recv().unwrap();
        assert!(!other.is_finished());
        assert!(lock.unlock());
        assert_eq!(other.join().unwrap(), Taken::Waited);
    });
}

#[test]
fn the_lock_is_given_in_the_order_of_asking() {
    let (lock, order) = (MpLock::new(), std::sync::Mutex::new(Vec::new()));
    lock.lock(|| {});
    std::thread::scope(|threads| {
        for number in 0..4 {
            let (tell, told) = std::sync::mpsc::channel();
            let (lock, order) = (&lock, &order);
            threads.spawn(move || {
                lock.lock(|| tell.send(()).unwrap());
                order.lock().unwrap().push(number);
                lock.unlock();
            });
            told.recv().unwrap();
        }
        lock.unlock();
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
}

/// A thread with the kernel lock that waits for a lock has given the kernel lock up: without that
/// these two would wait for each other.
#[test]
fn whoever_waits_for_a_lock_gives_up_the_kernel_lock() {
    let config = Config { ambient: Ambient::KERNEL_LOCK, ..Config::default() };
    let kernel = <Kernel>::new(&config).unwrap();
    let so_lock: RwLock = RwLock::new(Class::SoLock);
    so_lock.enter();
    std::thread::scope(|threads| {
        let (tell, told) = std::sync::mpsc::channel();
        let (kernel, so_lock) = (&kernel, &so_lock);
        let other = threads.spawn(move || {
            kernel.kernel_lock();
            kernel.kernel_lock();
            tell.send(thread_number()).unwrap();
            so_lock.enter();
            assert!(witness::has_kernel_lock());
            so_lock.exit();
            kernel.kernel_unlock();
            assert!(witness::has_kernel_lock());
            kernel.kernel_unlock();
            assert!(!witness::has_kernel_lock());
            counters().of(Class::KernelLock).acquisitions
        });
        let number = told.recv().unwrap();
        while !is_waiting(number) {
            std::thread::yield_now();
        }
        kernel.kernel_lock();
        kernel.kernel_unlock();
        so_lock.exit();
        // Once, and once more after the wait.
        assert_eq!(other.join().unwrap(), 2);
    });
}

#[test]
fn what_was_not_asked_for_is_not_taken() {
    let kernel = <Kernel>::new(&Config::default()).unwrap();
    let before = counters();
    kernel.kernel_lock();
    kernel.fd_fplock();
    kernel.f_mtx(0, 1);
    kernel.sched_lock();
    kernel.kernel_unlock();
    assert_eq!(counters().since(&before).acquisitions(), 0);
    assert!(<Nothing>::new(&Config::default()).is_ok());
    let asked = Config { ambient: Ambient::F_MTX, ..Config::default() };
    assert_eq!(<Nothing>::new(&asked).err(), Some(Errno::Einval));
}

#[test]
fn a_file_counts_its_transfers_under_its_mutex() {
    let kernel = <Kernel>::new(&Config { ambient: Ambient::F_MTX, ..Config::default() }).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| (0..1000).for_each(|_| kernel.f_mtx(3, 2)));
        }
    });
    let counts = |file: &File| (file.transfers.load(Relaxed), file.bytes.load(Relaxed));
    assert_eq!(counts(&kernel.files[3]), (2000, 4000));
    assert_eq!(counts(&kernel.files[2]), (0, 0));
}
