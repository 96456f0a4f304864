//! Which functions of the kernels' sources requests are made of, and which of their lines no row cites.

/// The kernel whose buffers have locks.
pub(super) const BY_BUFFER: &str = "per-buffer";

/// Those that every kernel has: the calls themselves.
const SYSCALLS: &[&str] = &[
    "sys_socket",
    "sys_bind",
    "sys_listen",
    "doaccept",
    "sys_connect",
    "sys_socketpair",
    "sys_setsockopt",
    "sys_getsockopt",
    "sys_getsockname",
    "sys_getpeername",
];
const DESCRIP: &[&str] = &["sys_dup", "sys_close"];

/// The functions of each file that requests on a unix(4) socket are made of.
pub(super) const FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "usrreq",
        &[
            "unp_solock_peer",
            "uipc_usrreq",
            "uipc_attach",
            "uipc_detach",
            "unp_detach",
            "unp_bind",
            "unp_connect",
            "unp_connect2",
            "unp_disconnect",
            "unp_shutdown",
            "unp_drop",
            "unp_externalize",
            "unp_internalize",
            "unp_gc",
            "unp_dispose",
            "unp_scan",
            "unp_discard",
        ],
    ),
    (
        "socket",
        &[
            "socreate",
            "sofree",
            "soclose",
            "soabort",
            "soaccept",
            "soconnect",
            "soconnect2",
            "sosend",
            "soreceive",
            "soshutdown",
            "sorflush",
        ],
    ),
    ("socket2", &["soisconnected", "sonewconn"]),
    ("syscalls", SYSCALLS),
    ("descrip", DESCRIP),
];

/// Those of [`BY_BUFFER`], which has other ones. Options are left out but for what `sosetopt` and
/// `sogetopt` are called by: most of them are not unix(4)'s.
pub(super) const FUNCTIONS_BY_BUFFER: &[(&str, &[&str])] = &[
    (
        "usrreq",
        &[
            "unp_solock_peer",
            "uipc_attach",
            "uipc_detach",
            "uipc_bind",
            "uipc_listen",
            "uipc_connect",
            "uipc_accept",
            "uipc_disconnect",
            "uipc_shutdown",
            "uipc_rcvd",
            "uipc_send",
            "uipc_dgram_send",
            "uipc_abort",
            "uipc_sockaddr",
            "uipc_peeraddr",
            "uipc_connect2",
            "unp_detach",
            "unp_connect",
            "unp_connect2",
            "unp_disconnect",
            "unp_externalize",
            "unp_internalize",
            "unp_gc",
            "unp_dispose",
            "unp_scan",
            "unp_discard",
        ],
    ),
    (
        "socket",
        &[
            "socreate",
            "solisten",
            "sorele",
            "sofree",
            "soclose",
            "soaccept",
            "soconnect",
            "soconnect2",
            "sosend",
            "soreceive",
            "soshutdown",
            "sorflush",
        ],
    ),
    (
        "socket2",
        &[
            "soisconnected",
            "soisdisconnected",
            "sonewconn",
            "socantsendmore",
            "socantrcvmore",
            "sowakeup",
            "soreserve",
        ],
    ),
    ("syscalls", SYSCALLS),
    ("descrip", DESCRIP),
];

/// What is modelled of the kernel whose partings wait.
pub(super) const FUNCTIONS_OF_PARTING: &[(&str, &[&str])] =
    &[("usrreq", &["unp_get_locks_in_order", "unp_disconnect", "unp_detach"])];

/// Those of the kernel that has a lock for each pair. What looks up and makes descriptors
/// (`kern_descrip.c`) is left out there, and the collector.
pub(super) const FUNCTIONS_BY_PAIR: &[(&str, &[&str])] = &[
    (
        "usrreq",
        &[
            "unp_setpeerlocks",
            "unp_resetlock",
            "unp_free",
            "unp_output",
            "unp_setaddr",
            "unp_rcvd",
            "unp_recvoob",
            "unp_send",
            "unp_sendoob",
            "unp_attach",
            "unp_detach",
            "unp_accept",
            "unp_peeraddr",
            "unp_sockaddr",
            "unp_bind",
            "unp_listen",
            "unp_disconnect",
            "unp_shutdown",
            "unp_abort",
            "unp_connect1",
            "unp_connect",
            "unp_connect2",
            "unp_disconnect1",
            "unp_shutdown1",
            "unp_drop",
            "unp_externalize",
            "unp_internalize",
            "unp_thread_kick",
            "unp_dispose",
            "unp_scan",
            "unp_discard_now",
            "unp_discard_later",
        ],
    ),
    (
        "socket",
        &[
            "socreate",
            "sobind",
            "solisten",
            "sofree",
            "soclose",
            "soabort",
            "soaccept",
            "soconnect",
            "soconnect2",
            "sodisconnect",
            "sosend",
            "soreceive",
            "soshutdown",
            "sorflush",
            "sosetopt",
            "sogetopt",
        ],
    ),
    (
        "socket2",
        &[
            "soisconnected",
            "soisdisconnected",
            "sonewconn",
            "soqinsque",
            "soqremque",
            "socantsendmore",
            "socantrcvmore",
            "sowakeup",
            "solockreset",
        ],
    ),
    (
        "syscalls",
        &[
            "sys___socket30",
            "sys_bind",
            "sys_listen",
            "do_sys_accept",
            "do_sys_connect",
            "makesocket",
            "sys_socketpair",
            "sys_shutdown",
            "sys_setsockopt",
            "sys_getsockopt",
            "do_sys_getpeername",
            "do_sys_getsockname",
        ],
    ),
    ("descrip", &[]),
];

/// Lines of those functions that take a lock and are in no row: kernel, file, line, why.
pub(super) const UNCITED: &[(&str, &str, usize, &str)] = &[
    ("per-socket", "usrreq", 693, "the directory's lock, which is left out"),
    ("global-gc", "usrreq", 598, "the directory's lock, which is left out"),
    ("global", "usrreq", 572, "the directory's lock, which is left out"),
    ("per-socket", "socket", 284, "what is closed is on no queue: it was accepted, or taken off"),
    ("per-socket", "socket", 285, "as 284"),
    ("per-socket", "socket", 414, "a connect has the name locked until its embryo is on so_q"),
    ("per-socket", "socket", 420, "as 414"),
    ("per-socket", "socket", 503, "for the other families"),
    ("per-socket-wait", "usrreq", 1627, "another parting was waited for"),
    ("per-socket-wait", "usrreq", 1641, "a socket that is its own peer never relocks for it"),
    ("per-socket-wait", "usrreq", 1646, "a relock was waited for"),
    ("per-buffer", "usrreq", 371, "the directory's lock, which is left out"),
    ("per-buffer", "socket", 331, "what is closed is on no queue: it was accepted, or taken off"),
    ("per-buffer", "socket", 332, "as 331"),
    ("per-buffer", "socket", 411, "a connect has the name locked until its embryo is on so_q"),
    ("per-buffer", "socket", 417, "as 411"),
    ("per-buffer", "socket", 442, "spliced sockets, of other families"),
    ("per-buffer", "socket", 455, "as 442"),
    ("per-buffer", "socket", 467, "as 442"),
    ("per-buffer", "socket", 481, "as 442"),
    ("per-buffer", "socket", 1138, "for a caller in the kernel, who wants the mbufs themselves"),
    ("per-pair", "usrreq", 361, "a name that is longer than an mbuf"),
    ("per-pair", "usrreq", 767, "whoever refers to a socket is on no queue"),
    ("per-pair", "usrreq", 975, "the directory's lock, which is left out"),
    ("per-pair", "usrreq", 994, "the name is locked at 1001"),
    ("per-pair", "socket", 722, "as 730, of what is not connected; a connect leaves nothing there"),
    ("per-pair", "socket", 1488, "for a caller in the kernel, who wants the mbufs themselves"),
    ("per-pair", "socket", 1837, "options of other levels"),
    ("per-pair", "syscalls", 247, "no accept of unix(4) fails with a connection in hand"),
];

/// Functions that a kernel does not have.
pub(super) const GONE: &[(&str, &str)] =
    &[("global", "unp_solock_peer"), ("global-gc", "unp_solock_peer"), ("per-socket", "unp_drop")];
