//! What options of every socket do: time-outs, security that is not there, and what follows from other options.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use tightbeam::options::number::*;
use tightbeam::options::{Access, OwnedValue, TABLE, Value};
use tightbeam::{
    Context, Dealer, ENOCOMPATPROTO, Error, EventKind, Pair, Pull, Push, SocketBase, SocketType,
    Sub,
};
use tightbeam_tests::sockets::*;

fn number(socket: &SocketBase, option: i32) -> i32 {
    match socket.option(option).unwrap() {
        OwnedValue::Int(value) => value,
        other => panic!("{other:?}"),
    }
}

fn set_bytes(socket: &SocketBase, option: i32, value: &[u8]) {
    socket.set_option(option, Value::Bytes(value)).unwrap();
}

type Ask = fn(&SocketBase);

/// Ways to ask for security that is not there, and the number of the mechanism that they add up to.
const SECURE: [(&str, i32, Ask); 3] = [
    ("GSSAPI server", 3, |socket| set(socket, GSSAPI_SERVER, 1)),
    ("GSSAPI client", 3, |socket| set_bytes(socket, GSSAPI_SERVICE_PRINCIPAL, b"host")),
    ("a name for GSSAPI", 3, |socket| set_bytes(socket, GSSAPI_PRINCIPAL, b"me")),
];

#[test]
fn security_that_is_not_there_is_refused_and_never_left_out() {
    let context = Context::new();
    for (what, mechanism, ask) in SECURE {
        let socket = open::<Dealer>(&context);
        ask(&socket);
        assert_eq!(socket_mechanism(&socket), mechanism, "{what}");
        for endpoint in [ANY_PORT, "ipc://@tightbeam-security"] {
            let refused = socket.bind(endpoint).unwrap_err();
            assert!(matches!(refused, Error::NoMechanism(_)), "{what}: {refused}");
            assert_eq!(refused.errno(), libc::ENOTSUP);
        }
        for endpoint in ["tcp://127.0.0.1:1", "ipc://@tightbeam-security"] {
            assert!(matches!(socket.connect(endpoint), Err(Error::NoMechanism(_))), "{what}");
        }
        assert_eq!(socket.stats().unwrap().connections, 0);
    }
}

fn socket_mechanism(socket: &SocketBase) -> i32 {
    number(socket, MECHANISM)
}

#[test]
fn within_the_process_no_mechanism_is_needed() {
    let context = Context::new();
    let (bound, connected) = (open::<Pair>(&context), open::<Pair>(&context));
    set(&bound, CURVE_SERVER, 1);
    set_bytes(&connected, PLAIN_USERNAME, b"me");
    bound.bind("inproc://security").unwrap();
    connected.connect("inproc://security").unwrap();
    connected.send("x").unwrap();
    assert_eq!(bound.recv_timeout(LIMIT).unwrap(), "x");
}

/// As observed with libzmq 4.3.4: what was set last counts, all mechanisms share one flag for the server, and taking a server back
/// leads to NULL.
#[test]
fn the_mechanism_follows_what_was_set_last() {
    let context = Context::new();
    let socket = open::<Dealer>(&context);
    let servers = |socket: &SocketBase| {
        [PLAIN_SERVER, CURVE_SERVER, GSSAPI_SERVER].map(|option| number(socket, option))
    };
    let state = |socket: &SocketBase| (socket_mechanism(socket), servers(socket));
    assert_eq!(state(&socket), (0, [0, 0, 0]));
    set(&socket, PLAIN_SERVER, 1);
    assert_eq!(state(&socket), (1, [1, 0, 0]));
    set_bytes(&socket, CURVE_PUBLICKEY, &[1; 32]);
    assert_eq!(state(&socket), (2, [0, 1, 0]), "a key does not make a client");
    set_bytes(&socket, CURVE_SERVERKEY, &[1; 32]);
    assert_eq!(state(&socket), (2, [0, 0, 0]), "the key of the server does");
    set(&socket, GSSAPI_SERVER, 0);
    assert_eq!(state(&socket), (3, [0, 0, 0]));
    set(&socket, CURVE_SERVER, 1);
    set_bytes(&socket, PLAIN_PASSWORD, b"secret");
    assert_eq!(state(&socket), (1, [0, 0, 0]));
    set_bytes(&socket, PLAIN_PASSWORD, b"");
    assert_eq!(state(&socket), (0, [0, 0, 0]));
    set(&socket, GSSAPI_PLAINTEXT, 1);
    assert_eq!(state(&socket), (0, [0, 0, 0]), "this asks for nothing");
    set(&socket, PLAIN_SERVER, 1);
    set(&socket, CURVE_SERVER, 0);
    assert_eq!(state(&socket), (0, [0, 0, 0]));
    socket.bind(ANY_PORT).unwrap();
}

#[test]
fn keys_have_three_forms_and_are_shown_nowhere() {
    let context = Context::new();
    let socket = open::<Dealer>(&context);
    let key: Vec<u8> = (1..=32).collect();
    let text = zmtp::z85::encode(&key).unwrap();
    for form in [key.clone(), text.clone().into_bytes(), format!("{text}\0").into_bytes()] {
        set_bytes(&socket, CURVE_SECRETKEY, &[0; 32]);
        set_bytes(&socket, CURVE_SECRETKEY, &form);
        assert_eq!(socket.option(CURVE_SECRETKEY).unwrap(), OwnedValue::Bytes(key.clone()));
        assert_eq!(
            socket.option_bytes(CURVE_SECRETKEY, 41).unwrap(),
            format!("{text}\0").as_bytes()
        );
    }
    assert!(socket.option_bytes(CURVE_SECRETKEY, 40).is_err());
    let refused = socket.set_option(CURVE_SECRETKEY, Value::Bytes(b"not a key")).unwrap_err();
    assert!(!refused.to_string().contains("not a key"), "{refused}");
    assert!(!format!("{socket:?}").contains(&text));
}

#[test]
fn rcvtimeo_and_sndtimeo_end_a_wait() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    for wait in [0, 30] {
        set(&pull, RCVTIMEO, wait);
        set(&push, SNDTIMEO, wait);
        let least = Duration::from_millis(wait.unsigned_abs().into());
        let start = Instant::now();
        assert_eq!(pull.recv().unwrap_err().errno(), libc::EAGAIN);
        assert!(start.elapsed() >= least);
        let start = Instant::now();
        assert_eq!(push.send("x").unwrap_err().error.errno(), libc::EAGAIN);
        assert!(start.elapsed() >= least);
    }
    assert_eq!((number(&pull, RCVTIMEO), number(&push, SNDTIMEO)), (30, 30));
}

/// A listener whose queue is full, so that the system answers no further attempt.
fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: touches no memory; listening again only changes the length of the queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queued.push(stream);
    }
    (listener, queued)
}

#[test]
fn connect_timeout_ends_an_attempt_that_nobody_answers() {
    let (listener, _queued) = full_listener();
    let context = Context::new();
    let socket = open_with::<Dealer>(&context, &[(CONNECT_TIMEOUT, 50), (LINGER, 0)]);
    let monitor = socket.monitor().unwrap();
    let start = Instant::now();
    socket.connect(format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    await_event(&monitor, EventKind::ConnectRetried);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

/// The length of a listener's queue of connections, which Linux tells in place of other numbers.
fn queue_of(port: u16) -> Option<u32> {
    let own = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    own.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).find_map(|descriptor| {
        // SAFETY: all zeros is a value of both types, and the calls write no more than their size.
        let (address, info) = unsafe {
            let mut address: libc::sockaddr_in = std::mem::zeroed();
            let mut len = libc::socklen_t::try_from(size_of_val(&address)).ok()?;
            let named = libc::getsockname(descriptor, (&raw mut address).cast(), &raw mut len);
            let mut info: libc::tcp_info = std::mem::zeroed();
            let mut len = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
            let (level, name) = (libc::IPPROTO_TCP, libc::TCP_INFO);
            let told =
                libc::getsockopt(descriptor, level, name, (&raw mut info).cast(), &raw mut len);
            (named == 0 && told == 0).then_some((address, info))?
        };
        // 10 is the state of a listener.
        (u16::from_be(address.sin_port) == port && info.tcpi_state == 10)
            .then_some(info.tcpi_sacked)
    })
}

#[test]
fn backlog_is_the_length_of_the_queue_of_connections() {
    let context = Context::new();
    for (options, length) in [(&[(BACKLOG, 7)][..], 7), (&[], 100)] {
        let socket = open_with::<Pull>(&context, options);
        let endpoint = bind(&socket).to_string();
        let port = endpoint.rsplit(':').next().unwrap().parse().unwrap();
        assert_eq!(queue_of(port), Some(length));
    }
}

#[test]
fn ipv4only_is_the_opposite_of_ipv6() {
    let context = Context::new();
    let socket = open::<Pull>(&context);
    assert_eq!((number(&socket, IPV4ONLY), number(&socket, IPV6)), (1, 0));
    assert!(socket.bind("tcp://[::1]:*").is_err());
    set(&socket, IPV4ONLY, 0);
    assert_eq!((number(&socket, IPV4ONLY), number(&socket, IPV6)), (0, 1));
    socket.bind("tcp://[::1]:*").unwrap();
}

#[test]
fn a_sub_does_not_linger_unless_it_is_told_to() {
    let context = Context::new();
    let (sub, push) = (open::<Sub>(&context), open::<Push>(&context));
    assert_eq!((number(&sub, LINGER), number(&push, LINGER)), (0, -1));
    set(&sub, LINGER, -1);
    assert_eq!(number(&sub, LINGER), -1);
}

/// What is only stored, other than at first: options of transports and mechanisms that do not exist here, and of Windows.
const STORED: [(i32, Value<'_>); 13] = [
    (RATE, Value::Int(1_000)),
    (RECOVERY_IVL, Value::Int(7)),
    (MULTICAST_HOPS, Value::Int(3)),
    (MULTICAST_LOOP, Value::Int(0)),
    (MULTICAST_MAXTPDU, Value::Int(9_000)),
    (VMCI_BUFFER_SIZE, Value::UInt64(1 << 20)),
    (VMCI_BUFFER_MIN_SIZE, Value::UInt64(1 << 10)),
    (VMCI_BUFFER_MAX_SIZE, Value::UInt64(1 << 30)),
    (VMCI_CONNECT_TIMEOUT, Value::Int(50)),
    (GSSAPI_PLAINTEXT, Value::Int(1)),
    (GSSAPI_PRINCIPAL_NAMETYPE, Value::Int(2)),
    (GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, Value::Int(1)),
    (LOOPBACK_FASTPATH, Value::Int(1)),
];

#[test]
fn transports_that_do_not_exist_here_are_refused_whatever_their_options_say() {
    let context = Context::new();
    let socket = open::<Dealer>(&context);
    for (option, value) in STORED {
        let spec = TABLE.iter().find(|spec| spec.number() == option).unwrap();
        assert_ne!(spec.default(), Some(value), "{spec:?}");
        socket.set_option(option, value).unwrap();
        match spec.access() {
            Access::Both => assert_eq!(socket.option(option).unwrap().as_value(), value),
            _ => assert_eq!(socket.option(option).unwrap_err().errno(), libc::EINVAL, "{spec:?}"),
        }
    }
    for endpoint in
        ["pgm://lo;239.192.1.1:5555", "epgm://lo;239.192.1.1:5555", "vmci://1:2", "norm://1"]
    {
        for refused in [socket.connect(endpoint).unwrap_err(), socket.bind(endpoint).unwrap_err()] {
            let expected = [libc::EPROTONOSUPPORT, ENOCOMPATPROTO];
            assert!(expected.contains(&refused.errno()), "{endpoint}: {refused}");
        }
    }
    // Other transports have no use for them.
    let pair = open::<Dealer>(&context);
    pair.connect(socket.bind(ANY_PORT).unwrap()).unwrap();
    pair.send("x").unwrap();
    assert_eq!(socket.recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn no_type_is_said_to_be_thread_safe() {
    let context = Context::new();
    for socket_type in SocketType::ALL {
        if let Ok(socket) = context.any_socket(socket_type) {
            assert_eq!(number(&socket, THREAD_SAFE), 0, "{socket_type}");
        }
    }
}

/// Who listens and who connects are the same process here, so that its ids are those of the peer.
#[test]
fn ipc_filters_let_in_only_whom_they_name() {
    // SAFETY: these touch no memory, and cannot fail.
    let (pid, uid, gid) = unsafe { (libc::getpid(), libc::getuid(), libc::getgid()) };
    let own = [
        (IPC_FILTER_PID, pid),
        (IPC_FILTER_UID, uid.cast_signed()),
        (IPC_FILTER_GID, gid.cast_signed()),
    ];
    let context = Context::new();
    for (option, id) in own {
        let endpoint = format!("ipc://@tightbeam-filter-{pid}-{option}");
        let listener = open::<Pull>(&context);
        set(&listener, option, id ^ 1);
        listener.bind(&endpoint).unwrap();
        let stranger = open_with::<Push>(&context, &[(LINGER, 0), (RECONNECT_IVL, -1)]);
        let events = stranger.monitor().unwrap();
        stranger.connect(&endpoint).unwrap();
        await_event(&events, EventKind::Disconnected);
        assert_eq!(peers(&listener), 0);
        listener.unbind(&endpoint).unwrap();
        listener.set_option_bytes(option, None).unwrap();
        drop(join_at(&listener, &endpoint));
        listener.unbind(&endpoint).unwrap();
        set(&listener, option, id ^ 1);
        set(&listener, option, id);
        join_at(&listener, &endpoint);
    }
}

/// Binds, and waits until a peer is there.
fn join_at(listener: &SocketBase, endpoint: &str) -> tightbeam::Socket<Push> {
    let context = Context::new();
    listener.bind(endpoint).unwrap();
    let push = open::<Push>(&context);
    push.connect(endpoint).unwrap();
    await_peers(&push, 1);
    push
}
