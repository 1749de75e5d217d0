//! Configurations, beginnings and verdicts by number, for tests that try many.

use std::sync::LazyLock;
use std::time::Duration;

use zmtp::{Config, Heartbeat, MechanismConfig, PlainClientConfig, Role, SocketType, Verdict};

use crate::curve_peers as curve;
use crate::support::{command, greeting, property, ready};

/// Every mechanism in both roles, of ends that draw the same keys each time. NULL is the first.
pub(crate) static MECHANISMS: LazyLock<[MechanismConfig; 5]> = LazyLock::new(|| {
    let [client, server] =
        [curve::client, curve::server].map(|end| end(SocketType::Pair, Role::Connecter).mechanism);
    let plain = MechanismConfig::PlainClient(PlainClientConfig::new("user", "password"));
    [MechanismConfig::Null, plain, MechanismConfig::PlainServer, client, server]
});

/// A configuration for every choice: the socket's type, role and authentication, the longest frame, the
/// frames of a message. The limits are low, so that short streams reach them.
pub(crate) fn config(mechanism: &MechanismConfig, choice: [u8; 4]) -> Config {
    let [socket_type, flags, longest, frames] = choice;
    let role = if flags & 1 == 0 { Role::Connecter } else { Role::Listener };
    let second = Duration::from_secs(1);
    let mut config = Config::new(a_socket_type(socket_type), role);
    config.mechanism = mechanism.clone();
    config.random = |bytes| {
        bytes.fill(4);
        Ok(())
    };
    config.authenticate = flags & 2 != 0;
    config.max_message_size = (longest >= 128).then(|| u64::from(longest - 128) * 3);
    config.limits.frames_per_message = 1 + u32::from(frames % 4);
    config.limits.topic = 100;
    config.heartbeat = Some(Heartbeat { interval: second, timeout: second, ttl: second });
    config
}

pub(crate) fn a_socket_type(number: u8) -> SocketType {
    SocketType::ALL[usize::from(number) % SocketType::ALL.len()]
}

/// What an authentication handler says.
pub(crate) fn a_verdict(number: u8) -> Verdict {
    match number % 4 {
        0 => Verdict::Accept { user_id: None, properties: vec![] },
        1 => Verdict::Accept {
            user_id: Some(b"somebody".to_vec()),
            properties: vec![
                ("X-Role".to_owned(), b"guest".to_vec()),
                ("peer-address".to_owned(), b"::1".to_vec()),
            ],
        },
        2 => Verdict::Deny { status: 400 },
        _ => Verdict::Temporary,
    }
}

/// How far a peer gets before its bytes turn arbitrary: nothing, a greeting of some version, or more.
pub(crate) static STARTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut starts = vec![vec![], b"\xff\0\0\0\0\0\0\0\x01\x7f".to_vec(), b"\x01\0".to_vec()];
    for number in 0..12 {
        starts.push([b"\xff\0\0\0\0\0\0\0\x01\x7f\x01", &[number, 0, 0][..]].concat());
    }
    for socket_type in SocketType::ALL {
        for minor in [0, 1] {
            let ready = ready(socket_type.name(), &[]);
            starts.push([greeting(minor, "NULL"), ready].concat());
        }
    }
    starts.extend([
        greeting(1, "NULL"),
        [greeting(1, "PLAIN"), command("HELLO", b"\x01u\x01p")].concat(),
        [greeting(1, "PLAIN"), command("WELCOME", b"")].concat(),
        [greeting(1, "CURVE"), curve::scripted_client().hello()].concat(),
        curve_server_start(0),
        curve_server_start(1),
        curve_server_start(2),
    ]);
    starts
});

/// What a server of CURVE says, as far as this command.
fn curve_server_start(commands: usize) -> Vec<u8> {
    let server = curve::scripted_server();
    let client = curve::scripted_client().transient.public;
    let metadata = property("Socket-Type", b"PAIR");
    let script = [
        server.welcome(&client),
        server.ready(&client, 1, &metadata),
        server.message(&client, 2, 0, b"hello"),
    ];
    [&[greeting(1, "CURVE")], script.get(..=commands).unwrap_or_default()].concat().concat()
}
