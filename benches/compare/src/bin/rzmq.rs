//! rzmq, on tokio, as it is without features of its own.

use std::future::Future;

use rzmq::socket::options as option;
use rzmq::{Context, Msg, MsgFlags, SocketType};
use tightbeam_compare::library::keys;
use tightbeam_compare::on_tokio::Tokio;
use tightbeam_compare::{
    Library, Outcome, Received, Role, Setup, Socket, Unsupported, main as work, on_tokio,
};

fn main() -> Outcome {
    work::<Rzmq>()
}

#[derive(Clone)]
struct Rzmq {
    tokio: Tokio,
    context: Context,
}

struct RzmqSocket(rzmq::Socket);

impl Rzmq {
    async fn open(&self, setup: &Setup) -> Outcome<rzmq::Socket> {
        let socket_type = match setup.role {
            Role::Req => SocketType::Req,
            Role::Rep => SocketType::Rep,
            Role::Push => SocketType::Push,
            Role::Pull => SocketType::Pull,
            Role::Pub => SocketType::Pub,
            Role::Sub => SocketType::Sub,
            Role::Dealer => SocketType::Dealer,
            Role::Router => SocketType::Router,
            Role::Pair => return Err(Unsupported("there is no PAIR").into()),
        };
        let socket = self.context.socket(socket_type)?;
        if setup.role == Role::Pub {
            socket.set_option(option::SNDHWM, 200_000_i32).await?;
        }
        Ok(socket)
    }
}

impl Library for Rzmq {
    type Socket = RzmqSocket;

    fn new() -> Outcome<Self> {
        let tokio = Tokio::new()?;
        let context = tokio.run(async { Context::new() })?;
        Ok(Self { tokio, context })
    }

    on_tokio!();

    async fn bind(
        &self,
        setup: &Setup,
        endpoint: &str,
        ready: impl FnOnce(),
    ) -> Outcome<RzmqSocket> {
        let socket = self.open(setup).await?;
        if setup.curve {
            socket.set_option(option::CURVE_SERVER, 1_i32).await?;
            let secret = keys::bytes(keys::SERVER_SECRET);
            socket.set_option_raw(option::CURVE_SECRET_KEY, &secret).await?;
        }
        socket.bind(endpoint).await?;
        ready();
        Ok(RzmqSocket(socket))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<RzmqSocket> {
        let socket = self.open(setup).await?;
        if setup.curve {
            let key = |number, key| {
                let (socket, key) = (socket.clone(), keys::bytes(key));
                async move { socket.set_option_raw(number, &key).await }
            };
            key(option::CURVE_SERVER_KEY, keys::SERVER_PUBLIC).await?;
            key(option::CURVE_PUBLIC_KEY, keys::CLIENT_PUBLIC).await?;
            key(option::CURVE_SECRET_KEY, keys::CLIENT_SECRET).await?;
        }
        socket.connect(endpoint).await?;
        Ok(RzmqSocket(socket))
    }
}

/// Marks all parts but the last.
fn message(mut parts: Vec<Msg>) -> Vec<Msg> {
    let last = parts.len() - 1;
    for (at, part) in parts.iter_mut().enumerate() {
        part.set_flags(if at < last { MsgFlags::MORE } else { MsgFlags::empty() });
    }
    parts
}

impl Socket for RzmqSocket {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        let part = || Msg::from_vec(body.to_vec());
        if parts == 1 {
            return Ok(self.0.send(part()).await?);
        }
        Ok(self.0.send_multipart(message((0..parts).map(|_| part()).collect())).await?)
    }

    async fn recv(&mut self) -> Outcome<Received> {
        let first = self.0.recv().await?;
        let mut received = Received::of([first.data().unwrap_or_default()]);
        let mut more = first.is_more();
        while more {
            let part = self.0.recv().await?;
            received.len += part.size();
            more = part.is_more();
        }
        Ok(received)
    }

    async fn echo(&mut self) -> Outcome {
        let parts = self.0.recv_multipart().await?;
        if parts.len() == 1 {
            return Ok(self.0.send(message(parts).remove(0)).await?);
        }
        Ok(self.0.send_multipart(message(parts)).await?)
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        Ok(self.0.set_option_raw(option::SUBSCRIBE, topic).await?)
    }

    async fn close(self) -> Outcome {
        Ok(self.0.close().await?)
    }
}
