use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// The reason why a text is refused.
fn reason(text: &str) -> &'static str {
    match text.parse::<Endpoint>() {
        Err(Error::BadEndpoint { endpoint, reason }) if endpoint == text => reason,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn good_endpoints_print_canonically() {
    for (given, printed) in [
        ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5555"),
        ("tcp://*:*", "tcp://*:*"),
        ("tcp://*:0", "tcp://*:*"),
        ("tcp://0.0.0.0:00080", "tcp://0.0.0.0:80"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
        ("tcp://[0:0:0::0:1]:65535", "tcp://[::1]:65535"),
        ("tcp://[fe80::1%eth0]:5", "tcp://[fe80::1%eth0]:5"),
        ("tcp://::1:5", "tcp://[::1]:5"),
        ("tcp://fe80::1%eth0:5", "tcp://[fe80::1%eth0]:5"),
        ("tcp://[::ffff:127.0.0.1]:5", "tcp://[::ffff:127.0.0.1]:5"),
        ("tcp://[127.0.0.1]:5", "tcp://127.0.0.1:5"),
        ("tcp://[*]:*", "tcp://*:*"),
        ("tcp://[lo]:5", "tcp://lo:5"),
        ("tcp://eth0:5", "tcp://eth0:5"),
        ("tcp://a_b.example-1.org:5", "tcp://a_b.example-1.org:5"),
        ("tcp://eth0:0;example.org:5", "tcp://eth0:*;example.org:5"),
        ("tcp://*:7;[::1]:5", "tcp://*:7;[::1]:5"),
    ] {
        let endpoint = parse(given);
        assert_eq!(endpoint.as_str(), printed);
        assert_eq!(endpoint.to_string(), printed);
        assert_eq!(endpoint, parse(printed));
        assert_eq!(endpoint.address(), parse(printed).address());
        assert_eq!(endpoint.transport(), "tcp");
    }
    for text in ["ipc:///tmp/a", "ipc://a b;c:*", "ipc://./*", "ipc://@a", "ipc://@/b@", "ipc://*"]
    {
        let endpoint = parse(text);
        assert_eq!((endpoint.as_str(), endpoint.transport()), (text, "ipc"));
    }
}

#[test]
fn parts_are_told_apart() {
    let local = HostPort { host: Host::Name("eth0".into()), port: Port::Any };
    let target = HostPort {
        host: Host::Zoned("fe80::1".parse().unwrap(), "3".into()),
        port: Port::Number(5),
    };
    assert_eq!(
        parse("tcp://eth0:*;[fe80::1%3]:5").address(),
        &Address::Tcp(TcpAddress { source: Some(local), target })
    );
}

#[test]
fn malformed_endpoints_say_what_was_expected() {
    for (text, expected) in [
        ("", "transport://address"),
        ("tcp:/a:1", "transport://address"),
        ("://a:1", "a transport before"),
        ("tcp://", "host:port"),
        ("tcp://localhost", "host:port"),
        ("tcp://:5", "a host before"),
        ("tcp://a:", "a port from 0"),
        ("tcp://a:65536", "a port from 0"),
        ("tcp://a:+5", "a port from 0"),
        ("tcp://a:5/", "a port from 0"),
        ("tcp://::1", "an IPv6 address and a port"),
        ("tcp://a:b:5", "an IPv6 address and a port"),
        ("tcp://[::1:5", "] before the port"),
        ("tcp://[::1]", "] before the port"),
        ("tcp://[127.0.0.1%lo]:5", "IPv6 address before the %"),
        ("tcp://[]:5", "a host before"),
        ("tcp://[[::1]]:5", "host:port"),
        ("tcp://[::1%]:5", "an interface"),
        ("tcp://[::1%a%b]:5", "an interface"),
        ("tcp://a b:5", "a host name"),
        ("tcp://a/b:5", "a host name"),
        ("tcp://b\u{fc}cher:5", "a host name"),
        ("tcp://a:1;b:2;c:3", "source;target"),
        ("tcp://;b:2", "host:port"),
        ("tcp://a:1;", "host:port"),
        ("ipc://", "a path"),
        ("ipc://@", "a name after the @"),
        ("ipc://a\0b", "without zero"),
    ] {
        assert!(reason(text).contains(expected), "{text}: {}", reason(text));
    }
    let long = format!("tcp://{}:1", "a".repeat(254));
    assert!(reason(&long).contains("253"));
    let longest = format!("ipc://{}", "a".repeat(107));
    assert_eq!(parse(&longest).as_str(), longest);
    assert!(matches!(
        format!("{longest}a").parse::<Endpoint>(),
        Err(Error::EndpointTooLong { limit: 107, .. })
    ));
}

#[test]
fn unknown_transports_name_the_known_ones() {
    for text in ["pgm://a:1", "TCP://a:1", " tcp://a:1"] {
        match text.parse::<Endpoint>() {
            Err(Error::UnknownTransport { endpoint, expected }) => {
                assert_eq!(endpoint, text);
                assert!(expected.contains("tcp"));
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn bind_and_connect_refuse_what_they_cannot_do() {
    for (text, bind, connect) in [
        ("tcp://127.0.0.1:5", true, true),
        ("tcp://*:5", true, false),
        ("tcp://127.0.0.1:*", true, false),
        ("tcp://127.0.0.1:0", true, false),
        ("tcp://*:0;127.0.0.1:5", false, true),
        ("tcp://lo:0;127.0.0.1:0", false, false),
        ("ipc://a", true, true),
        ("ipc://@a", true, true),
        ("ipc://*", true, false),
    ] {
        let endpoint = parse(text);
        assert_eq!(endpoint.for_bind().is_ok(), bind, "bind {text}");
        assert_eq!(endpoint.for_connect().is_ok(), connect, "connect {text}");
    }
}

#[test]
fn addresses_of_the_system_are_endpoints() {
    for text in ["127.0.0.1:5", "[::1]:5", "[fe80::1%3]:5"] {
        let endpoint = Endpoint::tcp(text.parse().unwrap(), None);
        assert_eq!(endpoint, parse(&format!("tcp://{text}")));
    }
}

fn reparses(text: &str) {
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        let again = parse(endpoint.as_str());
        assert_eq!(again, endpoint);
        assert_eq!(again.address(), endpoint.address());
        assert_eq!(again.as_str(), endpoint.as_str());
    }
}

/// What is likely to be taken for something that it is not.
const ODD: &[&str] = &[
    "",
    ":",
    "::",
    ":::",
    "*",
    "*:",
    "**",
    "%",
    "%lo",
    "@",
    "@@",
    ";",
    ";;",
    "[",
    "]",
    "[]",
    "[]:1",
    "[[::1]]:1",
    "[::1",
    "::1]:1",
    "[::%]:1",
    "[::%%]:1",
    "[*]:*",
    "*:*;*:*",
    ";*:1",
    "*:1;",
    "a:1;b:1;c:1",
    "a:00000",
    "a:00001",
    "a:-0",
    "a:0x5",
    "a:1e1",
    "a:\u{661}",
    "\0",
    "\0:1",
    "a\0b:1",
    "a:1\0",
    "\n:1",
    " a:1",
    "a:1 ",
    "\u{1f980}:1",
    "1:1",
    "127.1:1",
    "0:1",
    "::ffff:1.2.3.4:5",
    "[::ffff:1.2.3.4%1]:5",
    "1.2.3.4%lo:5",
    "[0:0:0:0:0:0:0:0:0]:1",
    "..",
    "/",
    "//",
    "../x",
    "a/../b",
    "a?b#c",
    "user@host:1",
    "tcp://a:1",
    "://",
];

#[test]
fn odd_texts_parse_back_or_are_refused() {
    for odd in ODD {
        reparses(odd);
        for transport in ["tcp", "ipc", "inproc", "udp", "TCP", ""] {
            let text = format!("{transport}://{odd}");
            reparses(&text);
            for end in 0..text.len() {
                if let Some(cut) = text.get(..end) {
                    reparses(cut);
                }
            }
            for socket in SocketType::ALL {
                let for_socket = Endpoint::parse_for(&text, socket);
                assert_eq!(for_socket.is_ok(), text.parse::<Endpoint>().is_ok(), "{text}");
            }
        }
    }
}

fn a_host() -> impl Strategy<Value = Host> {
    let name = "[a-zA-Z0-9_-]{0,9}[g-z][a-zA-Z0-9_.-]{0,240}";
    let interface = prop::sample::select(&["lo", "eth0", "1", "wlp2s0", "a.b-c_d"][..]);
    prop_oneof![
        Just(Host::Any),
        any::<IpAddr>().prop_map(Host::Ip),
        (any::<Ipv6Addr>(), interface).prop_map(|(ip, zone)| Host::Zoned(ip, zone.into())),
        name.prop_map(|name| Host::Name(name.into())),
    ]
}

fn a_host_and_port() -> impl Strategy<Value = HostPort> {
    (a_host(), any::<u16>()).prop_map(|(host, port)| HostPort { host, port: Port::from(port) })
}

proptest! {
    /// Also what stands in SOCKS_PROXY.
    #[test]
    fn a_host_and_a_port_print_back(place in a_host_and_port()) {
        prop_assert_eq!(place.to_string().parse::<HostPort>(), Ok(place));
    }

    #[test]
    fn a_source_and_a_target_print_back(source in prop::option::of(a_host_and_port()), target in a_host_and_port()) {
        let address = TcpAddress { source, target };
        prop_assert_eq!(address.to_string().parse::<TcpAddress>(), Ok(address.clone()));
        let text = format!("tcp://{address}");
        let endpoint = parse(&text);
        prop_assert_eq!(endpoint.as_str(), &text);
        prop_assert_eq!(endpoint.address(), &Address::Tcp(address.clone()));
        prop_assert_eq!(endpoint.for_bind().is_ok(), address.source.is_none());
        let connects = address.target.host != Host::Any && address.target.port != Port::Any;
        prop_assert_eq!(endpoint.for_connect().is_ok(), connects);
    }

    #[test]
    fn any_text_is_a_host_and_a_port_that_prints_back_or_is_refused(text in any::<String>(), cut in "[:%;*@/0-9\\[\\]]{0,12}") {
        for text in [&text, &cut, &format!("{text}:{cut}"), &format!("{cut}:1"), &format!("{text}:1080")] {
            if let Ok(place) = text.parse::<HostPort>() {
                prop_assert_eq!(place.to_string().parse::<HostPort>(), Ok(place));
            }
        }
    }

    /// Paths and abstract names to the last byte, and beyond it.
    #[test]
    fn what_stands_behind_ipc_is_kept_to_the_byte(path in "\\PC{1,130}", mark in "@?") {
        let text = format!("ipc://{mark}{path}");
        let place = &text["ipc://".len()..];
        match text.parse::<Endpoint>() {
            Ok(endpoint) => {
                prop_assert_eq!(endpoint.as_str(), &text);
                prop_assert!(place.len() <= 107);
                reparses(&text);
            }
            Err(error) => {
                let long = error.errno() == libc::ENAMETOOLONG && place.len() > 107;
                prop_assert!(long || place == "@", "{text}: {error}");
            }
        }
    }

    #[test]
    fn a_name_of_inproc_is_kept_to_the_byte(name in any::<String>()) {
        let text = format!("inproc://{name}");
        match text.parse::<Endpoint>() {
            Ok(endpoint) => prop_assert_eq!(endpoint.as_str(), &text),
            Err(_) => prop_assert!(name.is_empty() || name.contains('\0')),
        }
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in any::<String>()) {
        reparses(&text);
        for transport in ["tcp", "ipc", "inproc"] {
            reparses(&format!("{transport}://{text}"));
        }
        reparses(&format!("tcp://[{text}]:1"));
        reparses(&format!("tcp://{text}:1"));
    }

    #[test]
    fn odd_texts_put_together_print_back(
        transport in prop::sample::select(&["tcp", "ipc", "inproc"][..]),
        parts in prop::collection::vec(prop::sample::select(ODD), 0..5),
    ) {
        reparses(&format!("{transport}://{}", parts.concat()));
    }

    #[test]
    fn what_names_the_same_place_does_so_both_ways(one in prop::sample::select(ODD), two in prop::sample::select(ODD)) {
        let parsed = |text: &str| format!("tcp://{text}").parse::<Endpoint>();
        if let (Ok(one), Ok(two)) = (parsed(one), parsed(two)) {
            prop_assert_eq!(one.is_at(&two), two.is_at(&one));
            prop_assert!(one.is_at(&one));
        }
    }

    #[test]
    fn likely_texts_print_back(text in "tcp://[a-f0-9:.*%;\\[\\]]{0,24}:[0-9*]{1,5}") {
        reparses(&text);
    }

    #[test]
    fn every_address_prints_back(ip in any::<IpAddr>(), port in any::<u16>()) {
        reparses(Endpoint::tcp(SocketAddr::new(ip, port), None).as_str());
    }
}
