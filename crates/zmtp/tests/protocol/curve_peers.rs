//! Ends that speak CURVE, and how far a handshake has come.

use zmtp::curve::{Keypair, SecretKey};
use zmtp::{
    Config, CurveClientConfig, Error, MechanismConfig, Role, SocketType, Verdict, Violation,
};

use crate::curve_script::{Client, Key, Keys, Server};
use crate::support::{Script, greeting, property};

pub(crate) fn keypair(number: u8) -> Keypair {
    Keypair::from_secret(SecretKey::from_bytes([number; 32]))
}

/// The server is number 1, the client number 2.
pub(crate) fn server(socket_type: SocketType, role: Role) -> Config {
    let mechanism = MechanismConfig::CurveServer(keypair(1));
    Config { mechanism, ..Config::new(socket_type, role) }
}

pub(crate) fn client(socket_type: SocketType, role: Role) -> Config {
    let curve = CurveClientConfig { keypair: keypair(2), server: keypair(1).public };
    Config { mechanism: MechanismConfig::CurveClient(curve), ..Config::new(socket_type, role) }
}

pub(crate) fn scripted_server() -> Server {
    Server { permanent: Keys::of(1), transient: Keys::of(3) }
}

pub(crate) fn scripted_client() -> Client {
    Client { permanent: Keys::of(2), transient: Keys::of(4), server: Keys::of(1).public }
}

pub(crate) fn accept() -> Verdict {
    Verdict::Accept { user_id: Some(b"alice".to_vec()), properties: vec![] }
}

pub(crate) fn push() -> Vec<u8> {
    property("Socket-Type", b"PUSH")
}

/// A connection that has sent its greeting and got that of its peer.
pub(crate) fn greeted(config: Config) -> Script {
    let is_client = matches!(config.mechanism, MechanismConfig::CurveClient(_));
    let mut script = Script::with(config);
    script.send(&greeting(1, "CURVE"));
    // The greeting is tested with the versions; HELLO of a client stays.
    let end = &mut script.end;
    assert_eq!(end.out[32], u8::from(!is_client), "as-server");
    end.out.drain(..64);
    script
}

/// A server that has got HELLO; S' and the cookie.
pub(crate) fn welcomed(config: Config, client: &Client) -> (Script, Key, Vec<u8>) {
    let mut script = greeted(config);
    script.send(&client.hello());
    let (key, cookie) = client.read_welcome(&std::mem::take(&mut script.end.out));
    (script, key, cookie)
}

/// A server whose handshake with a PUSH is complete; S'.
pub(crate) fn served(config: Config) -> (Script, Key) {
    let client = scripted_client();
    let (mut script, key, cookie) = welcomed(config, &client);
    script.send(&client.initiate(&key, &cookie, 2, &client.initiation(&key, &push())));
    assert!(script.end.connection.is_ready(), "{:?}", script.end.error);
    script.end.out.clear();
    (script, key)
}

/// A client whose handshake with a PUSH is complete; C'.
pub(crate) fn connected(config: Config) -> (Script, Key) {
    let server = scripted_server();
    let mut script = greeted(config);
    let client = server.read_hello(&std::mem::take(&mut script.end.out));
    script.send(&server.welcome(&client)).send(&server.ready(&client, 1, &push()));
    assert!(script.end.connection.is_ready(), "{:?}", script.end.error);
    script.end.out.clear();
    (script, client)
}

#[track_caller]
pub(crate) fn expect_violation(script: &mut Script, violation: Violation) {
    assert_eq!(script.expect_closed(), &Error::Misbehaved(violation));
    assert_eq!((script.end.peer(), &script.end.out[..]), (None, &b""[..]), "closed silently");
}

pub(crate) fn client_pull() -> Config {
    client(SocketType::Pull, Role::Connecter)
}
