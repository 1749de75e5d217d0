//! Tightbeam's sockets as its two programs have them: in one calls block, in the other they are futures.

use tightbeam::curve::Keypair;
use tightbeam::options::number;
use tightbeam::{
    Context, Dealer, Message, Pair, Pub, Pull, Push, Rep, Req, Router, SocketBase, Sub,
};

use crate::library::keys;
use crate::{Outcome, Received, Role, Setup};

/// A context with as many sockets as any work needs.
pub fn context() -> Outcome<Context> {
    let context = Context::new();
    context.set_option(number::context::MAX_SOCKETS, 10_000)?;
    Ok(context)
}

/// Declares an enum over the types of sockets, and how they are opened.
macro_rules! kinds {
    ($($kind:ident),*) => {
        /// A socket of one of the types.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "they are ZeroMQ's")]
        pub enum Kind { $($kind(tightbeam::Socket<$kind>)),* }

        impl Kind {
            fn of(context: &Context, role: Role) -> Outcome<Self> {
                Ok(match role { $(Role::$kind => Self::$kind(context.socket()?)),* })
            }

            /// What all have.
            pub fn base(&self) -> &SocketBase {
                match self { $(Self::$kind(socket) => socket),* }
            }
        }
    };
}

kinds!(Req, Rep, Pair, Push, Pull, Pub, Sub, Dealer, Router);

/// Calls a method of whichever sockets have it.
#[macro_export]
macro_rules! either {
    ($socket:expr, $call:ident $arguments:tt, $($kind:ident)*) => {
        match &$socket {
            $($crate::ours::Kind::$kind(socket) => socket.$call $arguments,)*
            _ => return Err("that is not for this type".into()),
        }
    };
}

impl Kind {
    /// A socket that is bound.
    pub fn bind(context: &Context, setup: &Setup, endpoint: &str) -> Outcome<Self> {
        let socket = Self::open(context, setup)?;
        if setup.curve {
            let servers = keypair(keys::SERVER_PUBLIC, keys::SERVER_SECRET)?;
            socket.base().set_curve_server(&servers)?;
        }
        socket.base().bind(endpoint)?;
        Ok(socket)
    }

    /// A socket that is about to be connected.
    pub fn connect(context: &Context, setup: &Setup, endpoint: &str) -> Outcome<Self> {
        let socket = Self::open(context, setup)?;
        if setup.curve {
            let clients = keypair(keys::CLIENT_PUBLIC, keys::CLIENT_SECRET)?;
            socket.base().set_curve_client(&clients, &keys::SERVER_PUBLIC.parse()?)?;
        }
        socket.base().connect(endpoint)?;
        Ok(socket)
    }

    fn open(context: &Context, setup: &Setup) -> Outcome<Self> {
        let socket = Self::of(context, setup.role)?;
        if matches!(setup.role, Role::Pub | Role::Sub) {
            // As for libzmq: see the README.
            socket.base().set_send_hwm(0)?;
        }
        Ok(socket)
    }

    /// Adds a subscription.
    pub fn subscribe(&self, topic: &[u8]) -> Outcome {
        Ok(either!(*self, subscribe(topic), Sub)?)
    }
}

fn keypair(public: &str, secret: &str) -> Outcome<Keypair> {
    Ok(Keypair { public: public.parse()?, secret: secret.parse()? })
}

/// A message of so many parts.
pub fn message(body: &[u8], parts: usize) -> Message {
    if parts == 1 { body.into() } else { Message::multipart((0..parts).map(|_| body)) }
}

/// Looks at a message.
pub fn looked_at(message: &Message) -> Received {
    Received::of(message.frames().iter().map(|frame| &frame[..]))
}
