//! omq-tokio through its exclusive sockets: each has one peer, over tcp, and is driven by the task that has it.

use std::future::Future;

use omq_tokio::SocketType;
use omq_tokio::exclusive::{self, Options};
use tightbeam_compare::on_tokio::Tokio;
use tightbeam_compare::{
    Library, Outcome, Received, Role, Setup, Socket, Unsupported, main as work, omq, on_tokio,
};

fn main() -> Outcome {
    work::<Exclusive>()
}

#[derive(Clone)]
struct Exclusive {
    tokio: Tokio,
}

struct OmqSocket(exclusive::Socket);

/// What there is of it.
fn socket_type(setup: &Setup, endpoint: &str) -> Outcome<SocketType> {
    if !endpoint.starts_with("tcp:") || setup.curve || setup.peers > 1 {
        return Err(Unsupported("exclusive sockets have one peer, over tcp, in the clear").into());
    }
    Ok(match setup.role {
        Role::Req => SocketType::Req,
        Role::Rep => SocketType::Rep,
        Role::Pair => SocketType::Pair,
        Role::Dealer => SocketType::Dealer,
        Role::Router => SocketType::Router,
        _ => return Err(Unsupported("exclusive sockets do not have this type").into()),
    })
}

impl Library for Exclusive {
    type Socket = OmqSocket;

    fn new() -> Outcome<Self> {
        Ok(Self { tokio: Tokio::new()? })
    }

    on_tokio!();

    async fn bind(
        &self,
        setup: &Setup,
        endpoint: &str,
        ready: impl FnOnce(),
    ) -> Outcome<OmqSocket> {
        let socket_type = socket_type(setup, endpoint)?;
        let (socket, _) =
            exclusive::Socket::bind(socket_type, endpoint, Options::default()).await?;
        ready();
        Ok(OmqSocket(socket))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<OmqSocket> {
        let socket_type = socket_type(setup, endpoint)?;
        let socket = exclusive::Socket::connect(socket_type, endpoint, Options::default()).await?;
        Ok(OmqSocket(socket))
    }
}

impl Socket for OmqSocket {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        Ok(self.0.send(&omq::message(body, parts)).await?)
    }

    async fn recv(&mut self) -> Outcome<Received> {
        Ok(omq::looked_at(&self.0.recv().await?))
    }

    async fn echo(&mut self) -> Outcome {
        let message = self.0.recv().await?;
        Ok(self.0.send(&message).await?)
    }

    async fn subscribe(&mut self, _: &[u8]) -> Outcome {
        Err(Unsupported("exclusive sockets do not subscribe").into())
    }

    async fn close(mut self) -> Outcome {
        Ok(self.0.close().await?)
    }
}
