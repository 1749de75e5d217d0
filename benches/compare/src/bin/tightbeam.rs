//! Tightbeam, through the Rust API.

use std::future::Future;

use tightbeam::curve::Keypair;
use tightbeam::options::number;
use tightbeam::{
    Context, Dealer, Message, Pair, Pub, Pull, Push, Rep, Req, Router, SocketBase, Sub,
};
use tightbeam_compare::library::keys;
use tightbeam_compare::{Library, Outcome, Received, Role, Setup, Socket, main as work, threaded};

fn main() -> Outcome {
    work::<Tightbeam>()
}

#[derive(Clone)]
struct Tightbeam(Context);

/// A socket, and room for what it receives.
struct Ours {
    socket: Kind,
    body: Vec<u8>,
}

/// Declares an enum over the types of sockets, and how they are opened.
macro_rules! kinds {
    ($($kind:ident),*) => {
        enum Kind { $($kind(tightbeam::Socket<$kind>)),* }

        fn open(context: &Context, role: Role) -> Outcome<Kind> {
            Ok(match role { $(Role::$kind => Kind::$kind(context.socket()?)),* })
        }

        impl Kind {
            fn base(&self) -> &SocketBase {
                match self { $(Kind::$kind(socket) => socket),* }
            }
        }
    };
}

kinds!(Req, Rep, Pair, Push, Pull, Pub, Sub, Dealer, Router);

impl Tightbeam {
    fn open(&self, setup: &Setup) -> Outcome<Ours> {
        let socket = open(&self.0, setup.role)?;
        if matches!(setup.role, Role::Pub | Role::Sub) {
            // As for libzmq: see the README.
            socket.base().set_send_hwm(0)?;
        }
        Ok(Ours { socket, body: vec![0; setup.size] })
    }
}

fn keypair(public: &str, secret: &str) -> Outcome<Keypair> {
    Ok(Keypair { public: public.parse()?, secret: secret.parse()? })
}

impl Library for Tightbeam {
    type Socket = Ours;

    fn new() -> Outcome<Self> {
        let context = Context::new();
        context.set_option(number::context::MAX_SOCKETS, 10_000)?;
        Ok(Self(context))
    }

    threaded!();

    async fn bind(&self, setup: &Setup, endpoint: &str, ready: impl FnOnce()) -> Outcome<Ours> {
        let ours = self.open(setup)?;
        if setup.curve {
            let servers = keypair(keys::SERVER_PUBLIC, keys::SERVER_SECRET)?;
            ours.socket.base().set_curve_server(&servers)?;
        }
        ours.socket.base().bind(endpoint)?;
        ready();
        Ok(ours)
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Ours> {
        let ours = self.open(setup)?;
        if setup.curve {
            let clients = keypair(keys::CLIENT_PUBLIC, keys::CLIENT_SECRET)?;
            ours.socket.base().set_curve_client(&clients, &keys::SERVER_PUBLIC.parse()?)?;
        }
        ours.socket.base().connect(endpoint)?;
        Ok(ours)
    }
}

/// Calls a method of whichever sockets have it.
macro_rules! either {
    ($socket:expr, $call:ident($argument:expr), $($kind:ident)*) => {
        match &$socket {
            $(Kind::$kind(socket) => socket.$call($argument)?,)*
            _ => return Err("that is not for this type".into()),
        }
    };
}

impl Socket for Ours {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        if parts == 1 {
            either!(self.socket, send_slice(body), Req Pair Push Pub Dealer);
        } else {
            let message = Message::multipart((0..parts).map(|_| body));
            either!(self.socket, send(message), Req Pair Push Pub Dealer);
        }
        Ok(())
    }

    async fn recv(&mut self) -> Outcome<Received> {
        let body = &mut self.body;
        let copied = either!(self.socket, recv_into(body), Req Pair Pull Sub Dealer);
        let mut received = Received::of([&body[..copied.len]]);
        let mut more = copied.more;
        while more {
            let copied = either!(self.socket, recv_into(body), Req Pair Pull Sub Dealer);
            received.len += copied.len;
            more = copied.more;
        }
        Ok(received)
    }

    async fn echo(&mut self) -> Outcome {
        if let Kind::Router(socket) = &self.socket {
            socket.send(socket.recv()?)?;
            return Ok(());
        }
        let body = &mut self.body;
        let copied = either!(self.socket, recv_into(body), Rep Pair);
        either!(self.socket, send_slice(&body[..copied.len]), Rep Pair);
        Ok(())
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        either!(self.socket, subscribe(topic), Sub);
        Ok(())
    }

    async fn close(self) -> Outcome {
        Ok(())
    }
}
