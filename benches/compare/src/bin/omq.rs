//! omq-tokio, through its blocking sockets and a context with an I/O thread, its default.

use std::future::Future;

use bytes::Bytes;
use omq_tokio::{
    Context, CurveKeypair, CurvePublicKey, CurveSecretKey, Options, SocketType, blocking,
};
use tightbeam_compare::library::keys;
use tightbeam_compare::{
    Library, Outcome, Received, Role, Setup, Socket, main as work, omq, threaded,
};

fn main() -> Outcome {
    work::<Omq>()
}

#[derive(Clone)]
struct Omq(Context);

struct OmqSocket(blocking::Socket);

impl Omq {
    fn open(&self, setup: &Setup, options: Options) -> blocking::Socket {
        let socket_type = match setup.role {
            Role::Req => SocketType::Req,
            Role::Rep => SocketType::Rep,
            Role::Pair => SocketType::Pair,
            Role::Push => SocketType::Push,
            Role::Pull => SocketType::Pull,
            Role::Pub => SocketType::Pub,
            Role::Sub => SocketType::Sub,
            Role::Dealer => SocketType::Dealer,
            Role::Router => SocketType::Router,
        };
        let publishes = matches!(setup.role, Role::Pub | Role::Sub);
        let options = if publishes { options.send_hwm(200_000) } else { options };
        self.0.blocking_socket(socket_type, options)
    }
}

fn keypair(public: &str, secret: &str) -> CurveKeypair {
    CurveKeypair {
        public: CurvePublicKey(keys::bytes(public)),
        secret: CurveSecretKey(keys::bytes(secret)),
    }
}

impl Library for Omq {
    type Socket = OmqSocket;

    fn new() -> Outcome<Self> {
        Ok(Self(Context::new()))
    }

    threaded!();

    async fn bind(
        &self,
        setup: &Setup,
        endpoint: &str,
        ready: impl FnOnce(),
    ) -> Outcome<OmqSocket> {
        let mut options = Options::default();
        if setup.curve {
            options = options.curve_server(keypair(keys::SERVER_PUBLIC, keys::SERVER_SECRET));
        }
        let socket = self.open(setup, options);
        socket.bind(endpoint)?;
        ready();
        Ok(OmqSocket(socket))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<OmqSocket> {
        let mut options = Options::default();
        if setup.curve {
            let own = keypair(keys::CLIENT_PUBLIC, keys::CLIENT_SECRET);
            options = options.curve_client(own, CurvePublicKey(keys::bytes(keys::SERVER_PUBLIC)));
        }
        let socket = self.open(setup, options);
        socket.connect(endpoint)?;
        Ok(OmqSocket(socket))
    }
}

impl Socket for OmqSocket {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        Ok(self.0.send(omq::message(body, parts))?)
    }

    async fn recv(&mut self) -> Outcome<Received> {
        Ok(omq::looked_at(&self.0.recv()?))
    }

    async fn echo(&mut self) -> Outcome {
        Ok(self.0.send(self.0.recv()?)?)
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        Ok(self.0.subscribe(Bytes::copy_from_slice(topic))?)
    }

    async fn close(self) -> Outcome {
        Ok(())
    }
}
