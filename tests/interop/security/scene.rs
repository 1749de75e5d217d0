//! What is acted: a server and a client with their options, and who authenticates whom.

use tightbeam::SocketType;
use tightbeam::options::number;

/// Key pairs of CURVE, public and secret.
pub(crate) const SERVER: [&str; 2] =
    ["3N<6zf2gF>aNFmpgW#^7gMT#eY<eV:JJm[LR$cxF", "CBi6ae?3fZ!OW%95[j^b)@d[Tyeg#oG5He!iZbcT"];
pub(crate) const CLIENT: [&str; 2] =
    ["{lfns/Nda#miNRR)5Z6GM[V/aHx%?=iM2qm@XTKf", "FB6VzBY4PtFd-XOlO8JsC2dcM[plegAi?PEa!bv}"];
pub(crate) const STRANGER: [&str; 2] =
    ["NOR&A{@MOrhEDjIZB7:*o03A9}0*@o{aIHG}Z72N", "c2%=KQGQ}[jih<d<!%5qJn]R]Y%3#4L/Vq4luLZC"];

/// A handshake that nobody ends by themselves takes so long, in the scenes that have one.
pub(crate) const HANDSHAKE_MS: i32 = 1000;

/// The value of an option.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    Int(i32),
    Text(&'static str),
}

pub(crate) type Setting = (i32, Given);

pub(crate) const DOMAIN: Setting = (number::ZAP_DOMAIN, Given::Text("dom"));
pub(crate) const ENFORCE: Setting = (number::ZAP_ENFORCE_DOMAIN, Given::Int(1));
pub(crate) const IMPATIENT: Setting = (number::HANDSHAKE_IVL, Given::Int(HANDSHAKE_MS));

/// A mechanism as one end has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Null,
    Plain,
    Curve,
}

impl Mechanism {
    pub(crate) const ALL: [Mechanism; 3] = [Mechanism::Null, Mechanism::Plain, Mechanism::Curve];

    pub(crate) fn server(self) -> Vec<Setting> {
        match self {
            Mechanism::Null => Vec::new(),
            Mechanism::Plain => vec![(number::PLAIN_SERVER, Given::Int(1))],
            Mechanism::Curve => vec![
                (number::CURVE_SERVER, Given::Int(1)),
                (number::CURVE_SECRETKEY, Given::Text(SERVER[1])),
            ],
        }
    }

    pub(crate) fn client(self) -> Vec<Setting> {
        match self {
            Mechanism::Null => Vec::new(),
            Mechanism::Plain => plain("admin", "secret"),
            Mechanism::Curve => curve(SERVER[0], CLIENT),
        }
    }
}

pub(crate) fn plain(user: &'static str, password: &'static str) -> Vec<Setting> {
    let name = (number::PLAIN_USERNAME, Given::Text(user));
    vec![name, (number::PLAIN_PASSWORD, Given::Text(password))]
}

pub(crate) fn curve(server: &'static str, [public, secret]: [&'static str; 2]) -> Vec<Setting> {
    vec![
        (number::CURVE_SERVERKEY, Given::Text(server)),
        (number::CURVE_PUBLICKEY, Given::Text(public)),
        (number::CURVE_SECRETKEY, Given::Text(secret)),
    ]
}

/// What a handler answers to a request.
#[derive(Debug, Clone)]
pub(crate) enum Judge {
    /// The same to everybody.
    All(Reply),
    /// This to the first one, and welcome to all others.
    First(Reply),
    /// Admits who has the password, and the key.
    Careful,
    /// Nothing.
    Silent,
    /// Nothing: it closes its socket.
    Leaves,
}

impl Judge {
    /// The reply to the request of this number; none where the handler does not reply.
    pub(crate) fn reply(&self, request: &[Vec<u8>], count: usize) -> Option<Vec<Vec<u8>>> {
        let reply = match self {
            Judge::All(reply) => reply.clone(),
            Judge::First(reply) if count == 1 => reply.clone(),
            Judge::First(_) => Reply::welcome(),
            Judge::Careful if is_known(request) => Reply::welcome(),
            Judge::Careful => Reply::of("400"),
            Judge::Silent | Judge::Leaves => return None,
        };
        Some(reply.frames(request.get(1).map_or(b"", Vec::as_slice)))
    }
}

pub(crate) fn is_known(request: &[Vec<u8>]) -> bool {
    let key = zmtp::z85::decode(CLIENT[0]).expect("a key");
    match request.get(6..).unwrap_or_default() {
        [user, password] => user == b"admin" && password == b"secret",
        [public] => *public == key,
        _ => false,
    }
}

/// A reply of RFC 27, or what is no such.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) version: &'static str,
    /// Instead of the request's.
    pub(crate) id: Option<&'static str>,
    pub(crate) status: &'static str,
    pub(crate) text: &'static str,
    pub(crate) user: &'static str,
    pub(crate) metadata: Vec<u8>,
    /// As many frames.
    pub(crate) count: usize,
}

impl Reply {
    pub(crate) fn of(status: &'static str) -> Reply {
        let (text, user) = ("because", "alice");
        Reply { version: "1.0", id: None, status, text, user, metadata: Vec::new(), count: 6 }
    }

    pub(crate) fn welcome() -> Reply {
        let metadata = [property("Hello", "World"), property("X-App", "yes")].concat();
        Reply { metadata, ..Reply::of("200") }
    }

    fn frames(self, id: &[u8]) -> Vec<Vec<u8>> {
        let id = self.id.map_or(id, str::as_bytes).to_vec();
        let texts = [self.status, self.text, self.user].map(|text| text.as_bytes().to_vec());
        let mut frames = vec![self.version.as_bytes().to_vec(), id];
        frames.extend(texts);
        frames.push(self.metadata);
        frames.resize(self.count, b"more".to_vec());
        frames
    }
}

/// A property as RFC 23 writes it.
pub(crate) fn property(name: &str, value: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    let value_length = u32::try_from(value.len()).expect("a short value").to_be_bytes();
    [&[length], name.as_bytes(), &value_length, value.as_bytes()].concat()
}

/// Who authenticates for one end.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    pub(crate) judge: Judge,
    pub(crate) socket_type: SocketType,
    /// It comes when the server is already bound.
    pub(crate) is_late: bool,
}

/// A server that binds, a client that connects, and says hello to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) name: String,
    /// The server's and the client's.
    pub(crate) settings: [Vec<Setting>; 2],
    pub(crate) handlers: [Option<Handler>; 2],
    pub(crate) over_ipc: bool,
    /// Both ends find the same fault: who is the first to close is by chance.
    pub(crate) is_race: bool,
    /// What libzmq does here does not bear looking at: it is aborted.
    pub(crate) is_deadly: bool,
    /// It is acted by few: what comes of it depends on the server alone.
    pub(crate) is_detail: bool,
}

impl Scene {
    pub(crate) fn new(
        name: impl Into<String>,
        server: Vec<Setting>,
        client: Vec<Setting>,
    ) -> Scene {
        Scene {
            name: name.into(),
            settings: [server, client],
            handlers: [None, None],
            over_ipc: false,
            is_race: false,
            is_deadly: false,
            is_detail: false,
        }
    }

    /// Whether this end gives up a handshake that takes long.
    pub(crate) fn is_impatient(&self, side: usize) -> bool {
        self.settings[side].iter().any(|(option, _)| *option == IMPATIENT.0)
    }

    /// The same with more time for a handshake, if there is a limit.
    pub(crate) fn patient(&self) -> Option<Scene> {
        let mut scene = self.clone();
        let limits =
            scene.settings.iter_mut().flatten().filter(|(option, _)| *option == IMPATIENT.0);
        let count = limits.map(|setting| setting.1 = Given::Int(10 * HANDSHAKE_MS)).count();
        (count > 0).then_some(scene)
    }

    /// The server's handler is a REP socket that was there before the server.
    pub(crate) fn judged(mut self, judge: Judge) -> Scene {
        self.handlers[0] = Some(Handler { judge, socket_type: SocketType::Rep, is_late: false });
        self
    }

    pub(crate) fn judged_by_client(mut self, judge: Judge) -> Scene {
        self.handlers[1] = Some(Handler { judge, socket_type: SocketType::Rep, is_late: false });
        self
    }

    pub(crate) fn over_ipc(mut self) -> Scene {
        self.over_ipc = true;
        self
    }

    pub(crate) fn race(mut self) -> Scene {
        self.is_race = true;
        self
    }

    pub(crate) fn detail(mut self) -> Scene {
        self.is_detail = true;
        self
    }

    pub(crate) fn deadly(mut self) -> Scene {
        self.is_deadly = true;
        self
    }
}
