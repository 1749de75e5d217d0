//! What `tcp` endpoints stand for, by libzmq's manual page and by what it answers.

use std::net::TcpListener;
use std::os::fd::IntoRawFd;

use tightbeam::options::number::{
    BINDTODEVICE, IPV6, LAST_ENDPOINT, LINGER, TCP_ACCEPT_FILTER, USE_FD,
};
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{
    Context, ENOCOMPATPROTO, Error, EventKind, Pair, Pub, Pull, Push, SocketBase, Sub,
};
use tightbeam_tests::peer::{Peer, Speaks};
use tightbeam_tests::sockets::*;

fn last_endpoint(socket: &SocketBase) -> String {
    match socket.option(LAST_ENDPOINT).unwrap() {
        OwnedValue::Bytes(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn port(endpoint: impl AsRef<str>) -> String {
    endpoint.as_ref().rsplit(':').next().unwrap().to_owned()
}

fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn wildcards_and_interfaces_resolve_as_in_libzmq() {
    let context = Context::new();
    let mut cases = vec![
        ("tcp://*:*", 0, "tcp://0.0.0.0:"),
        ("tcp://*:0", 0, "tcp://0.0.0.0:"),
        ("tcp://[*]:*", 0, "tcp://0.0.0.0:"),
        ("tcp://lo:*", 0, "tcp://127.0.0.1:"),
        ("tcp://[::ffff:127.0.0.1]:*", 0, "tcp://127.0.0.1:"),
    ];
    if has_ipv6() {
        cases.extend([
            ("tcp://*:*", 1, "tcp://[::]:"),
            ("tcp://127.0.0.1:*", 1, "tcp://[::ffff:127.0.0.1]:"),
            ("tcp://lo:*", 1, "tcp://[::1]:"),
            ("tcp://::1:*", 1, "tcp://[::1]:"),
        ]);
    }
    for (given, ipv6, expected) in cases {
        let pull = open_with::<Pull>(&context, &[(IPV6, ipv6)]);
        let bound = pull.bind(given).unwrap();
        assert_eq!(last_endpoint(&pull), bound.as_str());
        let number = bound.as_str().strip_prefix(expected);
        assert!(number.is_some_and(|n| n.parse::<u16>().is_ok_and(|n| n > 0)), "{given} {bound}");
        // A wildcard is no name that could be unbound.
        assert_eq!(pull.unbind(given).unwrap_err().errno(), libc::ENOENT, "{given}");
        pull.unbind(&bound).unwrap();
    }
}

#[test]
fn what_is_no_interface_of_ours_is_refused_as_libzmq_does() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    for (endpoint, errno) in [
        ("tcp://nosuchinterface.invalid:*", libc::ENODEV),
        ("tcp://[::1]:*", libc::ENODEV),
        ("tcp://[fe80::1%nosuch]:*", libc::ENODEV),
        ("tcp://192.0.2.123:*", libc::EADDRNOTAVAIL),
        ("tcp://127.0.0.1:x", libc::EINVAL),
        ("tcp://127.0.0.1:65536", libc::EINVAL),
    ] {
        let refused = pull.bind(endpoint).unwrap_err();
        assert_eq!(refused.errno(), errno, "{endpoint}: {refused}");
    }
    assert_eq!(last_endpoint(&pull), "");
}

#[test]
fn transports_that_do_not_exist_or_do_not_fit_are_refused_by_errno() {
    let context = Context::new();
    let (push, publisher) = (open::<Push>(&context), open::<Pub>(&context));
    let subscriber = open::<Sub>(&context);
    let refused = |socket: &SocketBase, endpoint: &str| {
        let (bind, connect) =
            (socket.bind(endpoint).unwrap_err(), socket.connect(endpoint).unwrap_err());
        assert_eq!(bind.errno(), connect.errno(), "{endpoint}");
        assert_eq!(bind.errno(), socket.unbind(endpoint).unwrap_err().errno(), "{endpoint}");
        assert!(bind.to_string().contains(endpoint), "{bind}");
        bind.errno()
    };
    for transport in ["tipc", "vmci", "ws", "wss", "gssapi", "TCP", " tcp", "pigeon"] {
        assert_eq!(refused(&push, &format!("{transport}://a:1")), libc::EPROTONOSUPPORT);
    }
    for transport in ["pgm", "epgm", "norm"] {
        let endpoint = format!("{transport}://lo;239.1.1.1:5555");
        assert_eq!(refused(&push, &endpoint), ENOCOMPATPROTO);
        assert_eq!(refused(&publisher, &endpoint), libc::EPROTONOSUPPORT);
        assert_eq!(refused(&subscriber, &endpoint), libc::EPROTONOSUPPORT);
    }
    assert_eq!(refused(&push, "udp://127.0.0.1:5555"), ENOCOMPATPROTO);
}

#[test]
fn a_dual_stack_wildcard_serves_both_families() {
    if !has_ipv6() {
        return;
    }
    let context = Context::new();
    let pull = open_with::<Pull>(&context, &[(IPV6, 1)]);
    let port = port(pull.bind("tcp://*:*").unwrap());
    for (host, ipv6, address) in [
        ("127.0.0.1", 0, "::ffff:127.0.0.1"),
        ("127.0.0.1", 1, "::ffff:127.0.0.1"),
        ("[::1]", 1, "::1"),
    ] {
        let push = open_with::<Push>(&context, &[(IPV6, ipv6)]);
        push.connect(format!("tcp://{host}:{port}")).unwrap();
        push.send(host).unwrap();
        let message = pull.recv_timeout(LIMIT).unwrap();
        assert_eq!(message[0].peer().unwrap().address(), address);
    }
}

#[test]
fn an_ipv4_address_is_unbound_by_either_way_of_writing() {
    let context = Context::new();
    let pull = open_with::<Pull>(&context, &[(IPV6, 1)]);
    for prefix in ["tcp://127.0.0.1:", "tcp://[::ffff:127.0.0.1]:"] {
        let port = port(pull.bind("tcp://127.0.0.1:*").unwrap());
        pull.unbind(format!("{prefix}{port}")).unwrap();
    }
}

#[test]
fn a_source_may_be_an_interface_a_wildcard_or_an_address() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let endpoint = bind(&pull);
    let target = endpoint.as_str().trim_start_matches("tcp://");
    for (source, seen) in
        [("127.0.0.9:0", "127.0.0.9"), ("lo:*", "127.0.0.1"), ("*:*", "127.0.0.1")]
    {
        let push = open::<Push>(&context);
        push.connect(format!("tcp://{source};{target}")).unwrap();
        push.send(source).unwrap();
        let message = pull.recv_timeout(LIMIT).unwrap();
        assert_eq!(message[0].peer().unwrap().address(), seen);
    }
}

#[test]
fn a_source_that_does_not_exist_is_tried_again() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let events = push.monitor().unwrap();
    push.connect("tcp://nosuchinterface.invalid:0;127.0.0.1:1").unwrap();
    for _ in 0..2 {
        let reason = await_event(&events, EventKind::ConnectRetried).reason.unwrap();
        assert!(reason.contains("No such device"), "{reason}");
    }
}

#[test]
fn failed_look_ups_are_events_and_tried_again() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let events = push.monitor().unwrap();
    let endpoint = push.connect("tcp://no-such-host.invalid:5555").unwrap();
    for _ in 0..2 {
        let event = await_event(&events, EventKind::ConnectRetried);
        assert_eq!(event.endpoint.as_ref(), Some(&endpoint));
        assert!(event.reason.unwrap().contains("lookup"));
    }
}

#[test]
fn accept_filters_let_in_only_whom_they_name() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let filter = |text: &[u8]| pull.set_option(TCP_ACCEPT_FILTER, Value::Bytes(text)).unwrap();
    filter(b"127.0.0.8/30");
    filter(b"127.0.0.77");
    let events = pull.monitor().unwrap();
    let target = bind(&pull);
    let target = target.as_str().trim_start_matches("tcp://");
    for (source, welcome) in [
        ("127.0.0.7", false),
        ("127.0.0.8", true),
        ("127.0.0.11", true),
        ("127.0.0.12", false),
        ("127.0.0.77", true),
    ] {
        let push = open::<Push>(&context);
        push.connect(format!("tcp://{source}:0;{target}")).unwrap();
        if welcome {
            push.send(source).unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), source);
        } else {
            let reason = await_event(&events, EventKind::AcceptFailed).reason.unwrap();
            assert!(reason.contains("filters"), "{reason}");
        }
    }
    // Cleared, they let in everybody at the next endpoint.
    filter(b"");
    let push = open::<Push>(&context);
    connect(&push, &bind(&pull));
    push.send("anybody").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "anybody");
}

#[test]
fn a_listening_descriptor_that_was_opened_before_is_taken_over() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let expected = format!("tcp://{}", listener.local_addr().unwrap());
    let descriptor = listener.into_raw_fd();
    set(&pull, USE_FD, descriptor);
    // The host means nothing then.
    assert_eq!(pull.bind("tcp://nosuchinterface.invalid:*").unwrap().as_str(), expected);
    assert_eq!(last_endpoint(&pull), expected);
    let mut peer = Peer::join(&expected, "PUSH", Speaks::V3_1);
    peer.send_message(&[b"served"]);
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "served");
    pull.unbind(&expected).unwrap();
    until("the port is free", || TcpListener::bind(&expected[6..]).is_ok());
}

#[test]
fn a_descriptor_that_does_not_listen_is_refused_and_left_alone() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let unfit = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let gone = 1_000_000;
    for (descriptor, errno) in [
        (std::os::fd::AsRawFd::as_raw_fd(&unfit), libc::EINVAL),
        (std::os::fd::AsRawFd::as_raw_fd(&file), libc::ENOTSOCK),
        (gone, libc::EBADF),
    ] {
        set(&pull, USE_FD, descriptor);
        for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
            assert_eq!(pull.bind(endpoint).unwrap_err().errno(), errno, "{endpoint}");
        }
    }
    assert!(unfit.local_addr().is_ok() && file.metadata().is_ok());
    set(&pull, USE_FD, -1);
    pull.bind("tcp://127.0.0.1:*").unwrap();
}

#[test]
fn a_listening_unix_descriptor_keeps_its_file() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let path = std::env::temp_dir().join(format!("tightbeam-given-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    set(&pull, USE_FD, listener.into_raw_fd());
    let bound = pull.bind("ipc://anything").unwrap();
    assert_eq!(bound.as_str(), format!("ipc://{}", path.display()));
    push.connect(&bound).unwrap();
    push.send("served").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "served");
    pull.unbind(&bound).unwrap();
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_device_limits_where_peers_come_from() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    for socket in [&*pull, &*push] {
        socket.set_option(BINDTODEVICE, Value::Bytes(b"lo")).unwrap();
    }
    match pull.bind("tcp://*:*") {
        // Without the capability the system refuses, and so do we.
        Err(Error::Io { source, .. }) => assert_eq!(source.raw_os_error(), Some(libc::EPERM)),
        Err(other) => panic!("{other}"),
        Ok(bound) => {
            push.connect(format!("tcp://127.0.0.1:{}", port(bound))).unwrap();
            push.send("x").unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
        }
    }
    let (pull, push) = (open::<Pull>(&context), open_with::<Push>(&context, &[(LINGER, 0)]));
    for socket in [&*pull, &*push] {
        socket.set_option(BINDTODEVICE, Value::Bytes(b"nosuch0")).unwrap();
    }
    let expected = [libc::ENODEV, libc::EPERM];
    let refused = pull.bind("tcp://*:*").unwrap_err().errno();
    assert!(expected.contains(&refused), "{refused}");
    // Who connects has no device either, though somebody listens.
    let events = push.monitor().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    push.connect(format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let reason = await_event(&events, EventKind::ConnectRetried).reason.unwrap();
    let known = expected.map(|errno| std::io::Error::from_raw_os_error(errno).to_string());
    assert!(known.contains(&reason), "{reason}");
}

#[test]
fn strange_endpoints_never_panic() {
    let context = Context::new();
    let pair = open::<Pair>(&context);
    for address in [
        "",
        ":",
        "::",
        ":::",
        "[]",
        "[]:",
        "[]:1",
        "[:1",
        "]:1",
        "*",
        "*:",
        "**:1",
        "%:1",
        "%lo:1",
        "::%:1",
        "[::%]:1",
        ";",
        ";;",
        ";:",
        "a:1;",
        ";a:1",
        "\0:1",
        "a\0b:1",
        "a:\0",
        "a:1\0",
        "\u{1f980}:1",
        "a:\u{661}",
        "a:-0",
        "a:0x5",
        "@",
        "@\0",
        "/",
        "//",
        "../..",
        "a:99999999999999999999999999",
        "::ffff:1.2.3.4:99999",
        "a%b%c:1",
        "\n",
        " ",
        "localhost:*;",
        "[::1%\u{0}]:1",
        "0:0:0:0:0:0:0:0:0",
        "1.2.3.4.5:*;*:*",
    ] {
        for transport in ["tcp", "ipc", "inproc", "udp", "pgm", "", "x"] {
            let text = format!("{transport}://{address}");
            let _ = pair.unbind(&text);
            let _ = pair.disconnect(&text);
            if transport != "ipc" {
                let _ = pair.bind(&text);
                let _ = pair.connect(&text);
            }
        }
    }
    let (one, two) = join::<Push, Pull>(&context);
    one.send("alive").unwrap();
    assert_eq!(two.recv_timeout(LIMIT).unwrap(), "alive");
}
