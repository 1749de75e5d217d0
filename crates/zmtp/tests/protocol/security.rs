//! What holds for every mechanism that keeps somebody out.

use zmtp::{
    Config, Error, Event, Incompatibility, MechanismConfig, PlainClientConfig, Role, SocketType,
};

use crate::support::{Script, frame, greeting, ready};
use crate::{curve_peers as curve, support};

/// Both ends of PLAIN and CURVE, connecting and listening.
fn configs() -> Vec<Config> {
    let mut configs = Vec::new();
    for role in [Role::Connecter, Role::Listener] {
        let plain = MechanismConfig::PlainClient(PlainClientConfig::new("user", "password"));
        for mechanism in [plain, MechanismConfig::PlainServer] {
            configs.push(Config { mechanism, ..Config::new(SocketType::Pull, role) });
        }
        configs.push(curve::client(SocketType::Pull, role));
        configs.push(curve::server(SocketType::Pull, role));
    }
    configs
}

/// CVE-2014-7202 and CVE-2014-9721.
#[test]
fn no_older_greeting_is_a_way_around_a_mechanism() {
    let message = support::frame_v1(false, b"hello");
    let starts = [
        [b"\x01\0".to_vec(), message.clone()].concat(),
        [b"\xff\0\0\0\0\0\0\0\x01\0".to_vec(), message.clone()].concat(),
        [b"\xff\0\0\0\0\0\0\0\x01\x7f\0\x08\x01\0".to_vec(), message].concat(),
        [b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0".to_vec(), frame(0, b"hello")].concat(),
    ];
    for config in configs() {
        for bytes in &starts {
            let mut script = Script::with(config.clone());
            script.send(bytes);
            let error = script.expect_closed();
            assert!(matches!(error, Error::Incompatible(Incompatibility::Downgrade(_))), "{error}");
            assert_eq!(script.end.peer(), None);
        }
    }
}

#[test]
fn both_ends_must_name_the_same_mechanism() {
    for config in configs() {
        let ours = config.mechanism.name();
        for theirs in ["NULL", "PLAIN", "CURVE", "GSSAPI", "", "PLAINS", "curve"] {
            if theirs == ours {
                continue;
            }
            let mut script = Script::with(config.clone());
            let traffic = [greeting(1, theirs), ready("PUSH", &[]), frame(0, b"hello")].concat();
            script.send(&traffic);
            let expected = Incompatibility::Mechanism { ours };
            assert_eq!(script.expect_closed(), &Error::Incompatible(expected));
        }
    }
}

#[test]
fn nothing_is_delivered_and_nobody_is_ready_without_a_handshake() {
    for config in configs() {
        let ours = config.mechanism.name();
        for bytes in [ready("PUSH", &[]), frame(0, b"hello"), frame(0, &[b'x'; 200])] {
            let mut script = Script::with(config.clone());
            script.send(&[greeting(1, ours), bytes].concat());
            script.expect_closed();
            assert!(!script.end.events.iter().any(|event| matches!(event, Event::Ready(_))));
        }
    }
}
