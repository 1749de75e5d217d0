//! zeromq (zmq.rs), on tokio.

use std::future::Future;

use bytes::Bytes;
use tightbeam_compare::on_tokio::Tokio;
use tightbeam_compare::{
    Library, Outcome, Received, Role, Setup, Socket as Side, Unsupported, main as work, on_tokio,
};
use zeromq::prelude::*;
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SubSocket,
    ZmqMessage,
};

fn main() -> Outcome {
    work::<Zeromq>()
}

#[derive(Clone)]
struct Zeromq {
    tokio: Tokio,
}

/// Declares an enum over the types of sockets, and how they are opened.
macro_rules! kinds {
    ($($kind:ident($socket:ident)),*) => {
        enum Kind { $($kind($socket)),* }

        fn open(setup: &Setup) -> Outcome<Kind> {
            if setup.curve {
                return Err(Unsupported("there is no CURVE").into());
            }
            Ok(match setup.role {
                $(Role::$kind => Kind::$kind($socket::new()),)*
                Role::Pair => return Err(Unsupported("there is no PAIR").into()),
            })
        }

        impl Kind {
            async fn bind(&mut self, endpoint: &str) -> Outcome {
                match self { $(Kind::$kind(socket) => socket.bind(endpoint).await?),* };
                Ok(())
            }

            async fn connect(&mut self, endpoint: &str) -> Outcome {
                match self { $(Kind::$kind(socket) => socket.connect(endpoint).await?),* };
                Ok(())
            }

            async fn end(self) {
                match self { $(Kind::$kind(socket) => drop(socket.close().await)),* }
            }
        }
    };
}

kinds!(
    Req(ReqSocket),
    Rep(RepSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Pub(PubSocket),
    Sub(SubSocket),
    Dealer(DealerSocket),
    Router(RouterSocket)
);

fn is_there(endpoint: &str) -> Outcome {
    if endpoint.starts_with("inproc") {
        Err(Unsupported("there is no inproc").into())
    } else {
        Ok(())
    }
}

impl Library for Zeromq {
    type Socket = Kind;

    fn new() -> Outcome<Self> {
        Ok(Self { tokio: Tokio::new()? })
    }

    on_tokio!();

    async fn bind(&self, setup: &Setup, endpoint: &str, ready: impl FnOnce()) -> Outcome<Kind> {
        is_there(endpoint)?;
        let mut socket = open(setup)?;
        socket.bind(endpoint).await?;
        ready();
        Ok(socket)
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Kind> {
        is_there(endpoint)?;
        let mut socket = open(setup)?;
        socket.connect(endpoint).await?;
        Ok(socket)
    }
}

impl Kind {
    async fn send_message(&mut self, message: ZmqMessage) -> Outcome {
        match self {
            Self::Req(socket) => socket.send(message).await?,
            Self::Rep(socket) => socket.send(message).await?,
            Self::Push(socket) => socket.send(message).await?,
            Self::Pub(socket) => socket.send(message).await?,
            Self::Dealer(socket) => socket.send(message).await?,
            Self::Router(socket) => socket.send(message).await?,
            Self::Pull(_) | Self::Sub(_) => return Err("this type does not send".into()),
        }
        Ok(())
    }

    async fn recv_message(&mut self) -> Outcome<ZmqMessage> {
        Ok(match self {
            Self::Req(socket) => socket.recv().await?,
            Self::Rep(socket) => socket.recv().await?,
            Self::Pull(socket) => socket.recv().await?,
            Self::Sub(socket) => socket.recv().await?,
            Self::Dealer(socket) => socket.recv().await?,
            Self::Router(socket) => socket.recv().await?,
            Self::Push(_) | Self::Pub(_) => return Err("this type does not receive".into()),
        })
    }
}

impl Side for Kind {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        let mut message = ZmqMessage::from(Bytes::copy_from_slice(body));
        for _ in 1..parts {
            message.push_back(Bytes::copy_from_slice(body));
        }
        self.send_message(message).await
    }

    async fn recv(&mut self) -> Outcome<Received> {
        let message = self.recv_message().await?;
        Ok(Received::of(message.iter().map(|part| &part[..])))
    }

    async fn echo(&mut self) -> Outcome {
        let message = self.recv_message().await?;
        self.send_message(message).await
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        let Self::Sub(socket) = self else { return Err("this type does not subscribe".into()) };
        Ok(socket.subscribe(std::str::from_utf8(topic)?).await?)
    }

    async fn close(self) -> Outcome {
        self.end().await;
        Ok(())
    }
}
