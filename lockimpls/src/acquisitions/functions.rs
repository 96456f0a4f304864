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
];

/// Functions that a kernel does not have.
pub(super) const GONE: &[(&str, &str)] =
    &[("global", "unp_solock_peer"), ("global-gc", "unp_solock_peer"), ("per-socket", "unp_drop")];
