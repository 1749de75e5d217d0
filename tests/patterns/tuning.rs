//! What the options of `tcp` do to the descriptors of connections, made and accepted.
#![allow(unsafe_code, reason = "the system is asked for the options of a descriptor")]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tightbeam::options::number::*;
use tightbeam::{Context, EventKind, Pair, Push, Socket};
use tightbeam_tests::sockets::*;

/// An option of a descriptor, as the system knows it.
fn of_descriptor(descriptor: i32, level: i32, name: i32) -> i32 {
    let mut value: libc::c_int = 0;
    let mut length = 4;
    // SAFETY: the system writes at most one integer, to a place that is valid.
    let told = unsafe {
        libc::getsockopt(descriptor, level, name, (&raw mut value).cast(), &raw mut length)
    };
    assert_eq!(told, 0, "{}", std::io::Error::last_os_error());
    value
}

/// Two sockets with the options, and both ends of the connection between them.
fn joined(
    context: &Context,
    endpoint: &str,
    options: &[(i32, i32)],
) -> (Socket<Pair>, Socket<Pair>, [i32; 2]) {
    let (one, two) = (open_with::<Pair>(context, options), open_with::<Pair>(context, options));
    connect(&two, &one.bind(endpoint).unwrap());
    let descriptor = |from: &Socket<Pair>, to: &Socket<Pair>| {
        from.send("x").unwrap();
        to.recv_timeout(LIMIT).unwrap()[0].peer().unwrap().descriptor().unwrap()
    };
    let ends = [descriptor(&two, &one), descriptor(&one, &two)];
    (one, two, ends)
}

#[test]
fn keep_alive_and_the_user_time_out_are_set_on_both_ends() {
    let context = Context::new();
    let options = [
        (TCP_KEEPALIVE, 1),
        (TCP_KEEPALIVE_IDLE, 77),
        (TCP_KEEPALIVE_INTVL, 11),
        (TCP_KEEPALIVE_CNT, 5),
        (TCP_MAXRT, 12_345),
    ];
    let (_one, _two, ends) = joined(&context, ANY_PORT, &options);
    for end in ends {
        assert_eq!(of_descriptor(end, libc::SOL_SOCKET, libc::SO_KEEPALIVE), 1);
        for (name, value) in [
            (libc::TCP_KEEPIDLE, 77),
            (libc::TCP_KEEPINTVL, 11),
            (libc::TCP_KEEPCNT, 5),
            (libc::TCP_USER_TIMEOUT, 12_345),
        ] {
            assert_eq!(of_descriptor(end, libc::IPPROTO_TCP, name), value);
        }
    }
    let (_one, _two, ends) = joined(&context, ANY_PORT, &[(TCP_KEEPALIVE, 0)]);
    for end in ends {
        assert_eq!(of_descriptor(end, libc::SOL_SOCKET, libc::SO_KEEPALIVE), 0);
        assert_eq!(of_descriptor(end, libc::IPPROTO_TCP, libc::TCP_NODELAY), 1);
    }
}

#[test]
fn the_type_of_service_and_the_priority_are_set_on_both_ends() {
    let context = Context::new();
    let options = [(TOS, 0x28), (PRIORITY, 5)];
    let (_one, _two, ends) = joined(&context, ANY_PORT, &options);
    for end in ends {
        assert_eq!(of_descriptor(end, libc::IPPROTO_IP, libc::IP_TOS), 0x28);
        assert_eq!(of_descriptor(end, libc::SOL_SOCKET, libc::SO_PRIORITY), 5);
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        let (_one, _two, ends) = joined(&context, "tcp://[::1]:*", &[(IPV6, 1), (TOS, 0x28)]);
        for end in ends {
            assert_eq!(of_descriptor(end, libc::IPPROTO_IPV6, libc::IPV6_TCLASS), 0x28);
        }
    }
}

#[test]
fn buffers_of_the_system_are_set_on_both_ends() {
    let context = Context::new();
    let (_one, _two, ends) = joined(&context, ANY_PORT, &[(SNDBUF, 20_000), (RCVBUF, 30_000)]);
    for end in ends {
        // The system doubles them for its own needs.
        assert_eq!(of_descriptor(end, libc::SOL_SOCKET, libc::SO_SNDBUF), 40_000);
        assert_eq!(of_descriptor(end, libc::SOL_SOCKET, libc::SO_RCVBUF), 60_000);
    }
}

#[test]
fn busy_polling_is_set_where_the_system_allows_it() {
    let context = Context::new();
    let pair = open_with::<Pair>(&context, &[(BUSY_POLL, 50)]);
    match pair.bind(ANY_PORT) {
        Err(refused) => assert_eq!(refused.errno(), libc::EPERM, "{refused}"),
        Ok(_) => {
            let (_one, _two, ends) = joined(&context, ANY_PORT, &[(BUSY_POLL, 50)]);
            assert_eq!(of_descriptor(ends[1], libc::SOL_SOCKET, libc::SO_BUSY_POLL), 50);
        }
    }
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up() {
    let context = Context::new();
    // Nobody accepts, and the queue of the listener is full: the system answers nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: takes no pointers.
    unsafe { libc::listen(std::os::fd::AsRawFd::as_raw_fd(&listener), 0) };
    let address = listener.local_addr().unwrap();
    let filled: Vec<_> = (0..4)
        .filter_map(|_| {
            std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()
        })
        .collect();
    assert!(!filled.is_empty());
    let push = open_with::<Push>(&context, &[(CONNECT_TIMEOUT, 100)]);
    let events = push.monitor().unwrap();
    let began = Instant::now();
    push.connect(format!("tcp://{address}")).unwrap();
    let reason = await_event(&events, EventKind::ConnectRetried).reason.unwrap();
    assert!(reason.contains("in time"), "{reason}");
    assert!(began.elapsed() >= Duration::from_millis(100));
}
