//! What `host` adds to the machine's sockets: generations, names, waiting; and that it leaves
//! nothing.

use lockimpls::{
    Checked, Config, Domain, Errno, MsgFlags, RecvMsg, SendMsg, Shutdown, SockAddr, SockOpt,
    SockType, Visitor, WaitStrategy, visit_all,
};

/// A test that runs on any backend.
trait Case {
    fn run<D: Domain>(&self, domain: &Checked<D>);
}

/// Runs a case on `host`, with every way to wait, and checks that nothing is left.
fn on_host(case: &impl Case) {
    struct OnHost<'a, C>(&'a C);
    impl<C: Case> Visitor for OnHost<'_, C> {
        fn visit<D: Domain>(&mut self) {
            for wait in WaitStrategy::ALL {
                if D::NAME == "host" {
                    let config = Config { wait, ..Config::default() };
                    let domain = Checked::<D>::new(&config).unwrap();
                    self.0.run(&domain);
                    domain.check_end();
                }
            }
        }
    }
    visit_all(&mut OnHost(case));
}

/// Declares a test whose body is generic over the backend.
macro_rules! case {
    ($test:ident, $domain:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl Case for This {
                fn run<D: Domain>(&self, $domain: &Checked<D>) $body
            }
            on_host(&This);
        }
    };
}

const NONE: MsgFlags = MsgFlags::empty();

case!(stale_descriptors_are_refused_although_the_number_is_in_use_again, domain, {
    let (a, b) = domain.socketpair(SockType::Stream).unwrap();
    domain.close(a).unwrap();
    let again = domain.socket(SockType::Stream).unwrap();
    assert_ne!(a, again);
    assert_eq!(domain.send(a, b"x", NONE), Err(Errno::Ebadf));
    assert_eq!(domain.close(a), Err(Errno::Ebadf));
    assert_eq!(domain.same_file(a, b), Err(Errno::Ebadf));
    domain.close(again).unwrap();
    domain.close(b).unwrap();
});

case!(every_name_can_be_bound_and_is_given_back, domain, {
    let longest = "n".repeat(SockAddr::MAX);
    for text in ["plain", "/tmp/with/slashes", "../up", "+0", ".", &longest] {
        let name = SockAddr::new(text).unwrap();
        let listener = domain.socket(SockType::Stream).unwrap();
        assert!(domain.getsockname(listener).unwrap().is_unnamed());
        domain.bind(listener, &name).unwrap();
        domain.listen(listener, 5).unwrap();
        assert_eq!(domain.getsockname(listener), Ok(name));
        let client = domain.socket(SockType::Stream).unwrap();
        domain.connect(client, &name).unwrap();
        assert_eq!(domain.getpeername(client), Ok(name));
        let (server, from) = domain.accept(listener).unwrap();
        assert!(from.is_unnamed());
        domain.unlink(&name).unwrap();
        assert_eq!(domain.unlink(&name), Err(Errno::Enoent));
        for sock in [listener, client, server] {
            domain.close(sock).unwrap();
        }
    }
});

case!(a_datagram_says_where_it_came_from, domain, {
    let (there, here) = (SockAddr::new("there").unwrap(), SockAddr::new("here").unwrap());
    let to = domain.socket(SockType::Dgram).unwrap();
    let from = domain.socket(SockType::Dgram).unwrap();
    domain.bind(to, &there).unwrap();
    domain.bind(from, &here).unwrap();
    assert_eq!(domain.sendto(from, b"hello", &there, NONE), Ok(5));
    let mut room = [0; 3];
    let mut name = SockAddr::UNNAMED;
    let mut msg = RecvMsg::new(&mut room, NONE);
    msg.from = Some(&mut name);
    assert_eq!(domain.recvmsg(to, &mut msg), Ok(3));
    assert_eq!((msg.flags, name), (MsgFlags::TRUNC, here));
    for (sock, name) in [(to, there), (from, here)] {
        domain.close(sock).unwrap();
        domain.unlink(&name).unwrap();
    }
});

case!(descriptors_travel_and_are_counted, domain, {
    let (a, b) = domain.socketpair(SockType::Seqpacket).unwrap();
    let own = domain.socket(SockType::Dgram).unwrap();
    let two = [own, a];
    let msg = SendMsg { to: None, data: b"x", rights: &two, flags: NONE };
    assert_eq!(domain.sendmsg(a, &msg), Ok(1));
    let (mut room, mut rights) = ([0; 8], [None; 4]);
    let mut msg = RecvMsg::with_rights(&mut room, &mut rights, NONE);
    assert_eq!(domain.recvmsg(b, &mut msg), Ok(1));
    assert_eq!(msg.rights_len, 2);
    for (sent, got) in two.iter().zip(rights.iter().flatten()) {
        assert_ne!(sent, got);
        assert_eq!(domain.same_file(*sent, *got), Ok(true));
        domain.close(*got).unwrap();
    }
    for sock in [a, b, own] {
        domain.close(sock).unwrap();
    }
});

case!(descriptors_without_room_are_lost_and_leave_nothing, domain, {
    let (a, b) = domain.socketpair(SockType::Dgram).unwrap();
    let two = [a, b];
    let msg = SendMsg { to: None, data: b"x", rights: &two, flags: NONE };
    assert_eq!(domain.sendmsg(a, &msg), Ok(1));
    let (mut room, mut rights) = ([0; 8], [None; 1]);
    let mut msg = RecvMsg::with_rights(&mut room, &mut rights, NONE);
    assert_eq!(domain.recvmsg(b, &mut msg), Ok(1));
    assert_eq!((msg.rights_len, msg.flags), (1, MsgFlags::CTRUNC));
    domain.close(rights[0].unwrap()).unwrap();
    domain.close(a).unwrap();
    domain.close(b).unwrap();
});

case!(nonblocking_sockets_and_calls_do_not_wait, domain, {
    let (a, b) = domain.socketpair(SockType::Stream).unwrap();
    let mut room = [0; 8];
    assert_eq!(domain.recv(a, &mut room, MsgFlags::DONTWAIT), Err(Errno::Ewouldblock));
    let copy = domain.dup(a).unwrap();
    domain.set_nonblocking(copy, true).unwrap();
    assert_eq!(domain.recv(a, &mut room, NONE), Err(Errno::Ewouldblock));
    for sock in [a, b, copy] {
        domain.close(sock).unwrap();
    }
});

case!(a_blocking_send_takes_all_and_a_blocking_receive_waits, domain, {
    let (a, b) = domain.socketpair(SockType::Stream).unwrap();
    let data = vec![7u8; 3 << 20];
    let got = std::thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let (mut room, mut got) = (vec![0; 1 << 16], 0);
            loop {
                match domain.recv(b, &mut room, NONE).unwrap() {
                    0 => return got,
                    count => got += count,
                }
            }
        });
        assert_eq!(domain.send(a, &data, NONE), Ok(data.len()));
        domain.shutdown(a, Shutdown::Write).unwrap();
        receiver.join().unwrap()
    });
    assert_eq!(got, data.len());
    assert_eq!(domain.send(a, b"x", NONE), Err(Errno::Epipe));
    domain.close(a).unwrap();
    domain.close(b).unwrap();
});

case!(options_can_be_asked_and_set, domain, {
    let s = domain.socket(SockType::Dgram).unwrap();
    assert!(domain.getsockopt(s, SockOpt::SndBuf).unwrap() > 0);
    assert!(domain.getsockopt(s, SockOpt::RcvBuf).unwrap() > 0);
    assert_eq!(domain.getsockopt(s, SockOpt::Error), Ok(0));
    assert_eq!(domain.getsockopt(s, SockOpt::RcvLowat), Ok(1));
    domain.setsockopt(s, SockOpt::SndBuf, 65536).unwrap();
    assert!(domain.getsockopt(s, SockOpt::SndBuf).unwrap() >= 65536);
    assert_eq!(domain.setsockopt(s, SockOpt::SndBuf, usize::MAX), Err(Errno::Einval));
    domain.close(s).unwrap();
});

case!(pools_count_what_is_open, domain, {
    let before = domain.pools()[0].clone();
    let (a, b) = domain.socketpair(SockType::Stream).unwrap();
    let copy = domain.dup(a).unwrap();
    let open = domain.pools()[0].clone();
    assert_eq!((open.name, open.in_use), ("fd", 3));
    assert_eq!(open.requests, before.requests + 3);
    for sock in [a, b, copy] {
        domain.close(sock).unwrap();
    }
    assert_eq!(domain.pools()[0].in_use, 0);
});
