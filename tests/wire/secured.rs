//! A socket of any mechanism, in either role and at either end: attacked, asked for its events, and asked to serve a good peer.

use std::time::{Duration, Instant};

use tightbeam::auth::{Credentials, Request, Verdict};
use tightbeam::curve::Keypair;
use tightbeam::options::{Value, number};
use tightbeam::{Context, EventKind, Monitor, MonitorEvent, Pull, Socket};
use tightbeam_tests::peer::{HANG, Lounge, Peer};
use tightbeam_tests::speaker::Speaker;
use tightbeam_tests::transport::anywhere;
use zmtp::{Config, CurveClientConfig, MechanismConfig, PlainClientConfig, Role, SocketType};

/// What peers have to get past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Null,
    /// NULL, with somebody who judges.
    Domain,
    Plain,
    Curve,
}

/// Which end the socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Listens,
    Connects,
}

/// Who the socket is: each may listen or connect.
pub(crate) const ROLES: [(Guard, bool); 6] = [
    (Guard::Null, false),
    (Guard::Domain, false),
    (Guard::Plain, true),
    (Guard::Plain, false),
    (Guard::Curve, true),
    (Guard::Curve, false),
];

/// The socket under attack. It always listens somewhere, for good peers.
pub(crate) struct Subject {
    pub(crate) socket: Socket<Pull>,
    pub(crate) context: Context,
    events: Monitor,
    endpoint: String,
    guard: Guard,
    server: bool,
    mine: Keypair,
    theirs: Keypair,
}

/// One visit of an attacker.
pub(crate) struct Visit {
    pub(crate) speaker: Speaker,
    /// Where it was connected to.
    _lounge: Option<Lounge>,
    before: u64,
}

impl Subject {
    pub(crate) fn new(guard: Guard, server: bool) -> Subject {
        Subject::with(guard, server, &[])
    }

    pub(crate) fn with(guard: Guard, server: bool, options: &[(i32, i32)]) -> Subject {
        let context = Context::new();
        context.set_authenticator(|request: &Request| match &request.credentials {
            Credentials::Plain { username, password }
                if username != b"ada" || password.as_slice() != b"secret" =>
            {
                Verdict::deny()
            }
            _ => Verdict::accept("somebody"),
        });
        let socket = context.socket::<Pull>().expect("socket");
        let (mine, theirs) =
            (Keypair::generate().expect("random"), Keypair::generate().expect("random"));
        match (guard, server) {
            (Guard::Null, _) => Ok(()),
            (Guard::Domain, _) => socket.set_zap_domain("global"),
            (Guard::Plain, true) => socket.set_plain_server(true),
            (Guard::Plain, false) => socket.set_plain_client("ada", "secret"),
            (Guard::Curve, true) => socket.set_curve_server(&mine),
            (Guard::Curve, false) => socket.set_curve_client(&mine, &theirs.public),
        }
        .expect("mechanism");
        let always = [(number::LINGER, 0), (number::RECONNECT_IVL, -1), (number::BACKLOG, 4096)];
        for (option, value) in always.iter().chain(options) {
            socket.set_option(*option, Value::Int(*value)).expect("option");
        }
        let events = socket.monitor().expect("monitor");
        let endpoint = socket.bind(anywhere()).expect("bind").to_string();
        Subject { socket, context, events, endpoint, guard, server, mine, theirs }
    }

    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What the other end must know.
    pub(crate) fn other_end(&self, socket_type: SocketType) -> Config {
        let mechanism = match (self.guard, self.server) {
            (Guard::Null | Guard::Domain, _) => MechanismConfig::Null,
            (Guard::Plain, true) => {
                MechanismConfig::PlainClient(PlainClientConfig::new(*b"ada", *b"secret"))
            }
            (Guard::Plain, false) => MechanismConfig::PlainServer,
            (Guard::Curve, true) => MechanismConfig::CurveClient(CurveClientConfig {
                keypair: self.theirs.clone(),
                server: self.mine.public,
            }),
            (Guard::Curve, false) => MechanismConfig::CurveServer(self.theirs.clone()),
        };
        Config { mechanism, ..Config::new(socket_type, Role::Connecter) }
    }

    /// An attacker is connected, and knows its part.
    pub(crate) fn visit(&self, end: End, minor: u8) -> Visit {
        let before = self.losses();
        let (peer, lounge) = match end {
            End::Listens => (Peer::connect(&self.endpoint), None),
            End::Connects => {
                let lounge = Lounge::open();
                self.socket.connect(lounge.endpoint()).expect("connect");
                (lounge.accept(), Some(lounge))
            }
        };
        let speaker = Speaker::new(peer, self.other_end(SocketType::Push), minor);
        Visit { speaker, _lounge: lounge, before }
    }

    /// Connections that have ended by the peer's doing, as the counters tell.
    pub(crate) fn losses(&self) -> u64 {
        let counters = self.socket.stats().expect("stats").counters;
        counters.handshakes_failed + counters.disconnected
    }

    pub(crate) fn connections(&self) -> usize {
        self.socket.stats().expect("stats").connections
    }

    /// The next event that tells of the end of a connection, after those that belong to it.
    pub(crate) fn next_end(&self) -> (Option<MonitorEvent>, MonitorEvent) {
        let deadline = Instant::now() + HANG;
        let mut failure = None;
        while Instant::now() < deadline {
            match self.events.next_timeout(Duration::from_millis(200)) {
                Some(event) if event.kind == EventKind::Disconnected => return (failure, event),
                Some(event)
                    if event.kind.is_handshake_failure()
                        || event.kind == EventKind::BudgetExceeded =>
                {
                    failure = Some(event);
                }
                _ => {}
            }
        }
        panic!("{:?}: no connection ended; {failure:?}", self.guard);
    }

    /// The attacker's connection has ended, for a reason that contains `reason`; nothing of it was delivered, and a good
    /// peer is served.
    pub(crate) fn expect_sound(&self, mut visit: Visit, reason: &str, what: &str) {
        let ready = visit.speaker.is_ready();
        visit.speaker.peer.expect_closed_eventually();
        let (failure, end) = self.next_end();
        let given = end.reason.unwrap_or_default();
        assert!(!given.is_empty() && given.contains(reason), "{what}: {given:?}");
        assert!(ready || failure.is_some(), "{what}: no failure was told, but {given:?}");
        if ready && (given.contains("does not rise") || given.contains("does not open")) {
            let kind = failure.map(|event| event.kind);
            assert_eq!(
                kind,
                Some(EventKind::HandshakeFailedProtocol),
                "{what}: as libzmq tells it"
            );
        }
        assert!(self.losses() > visit.before, "{what}: it was not counted");
        self.expect_nothing(what);
        self.expect_good_service(what);
    }

    pub(crate) fn expect_nothing(&self, what: &str) {
        let received = self.socket.try_recv();
        assert!(
            received.as_ref().is_err_and(tightbeam::Error::is_would_block),
            "{what}: {received:?}"
        );
    }

    pub(crate) fn expect_good_service(&self, what: &str) {
        let peer = Peer::connect(&self.endpoint);
        let mut good = Speaker::new(peer, self.other_end(SocketType::Push), 1);
        assert!(good.shake_hands(), "after {what} a good peer is not let in");
        let message = good.message(b"good");
        good.peer.send_bytes(&message);
        let received = self.socket.recv_timeout(HANG);
        assert_eq!(received.unwrap_or_else(|error| panic!("after {what}: {error}")), "good");
        drop(good);
        let (failure, _) = self.next_end();
        assert!(failure.is_none(), "after {what}: {failure:?}");
    }
}
