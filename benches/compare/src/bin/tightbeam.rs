//! Tightbeam, through the Rust API.

use std::future::Future;

use tightbeam::{Context, PollItem, Readiness};
use tightbeam_compare::ours::{self, Kind};
use tightbeam_compare::{
    Library, Outcome, Received, Setup, Socket, either, main as work, threaded,
};

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

impl Ours {
    fn new(socket: Kind, setup: &Setup) -> Self {
        Self { socket, body: vec![0; setup.size] }
    }
}

impl Library for Tightbeam {
    type Socket = Ours;

    fn new() -> Outcome<Self> {
        Ok(Self(ours::context()?))
    }

    threaded!();

    async fn bind(&self, setup: &Setup, endpoint: &str, ready: impl FnOnce()) -> Outcome<Ours> {
        let socket = Kind::bind(&self.0, setup, endpoint)?;
        ready();
        Ok(Ours::new(socket, setup))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Ours> {
        Ok(Ours::new(Kind::connect(&self.0, setup, endpoint)?, setup))
    }

    const POLLS: bool = true;

    async fn poll(&self, sockets: &[Ours], ready: &mut Vec<usize>) -> Outcome {
        let wanted = Readiness { readable: true, writable: false };
        let bases = sockets.iter().map(|ours| ours.socket.base());
        let mut items: Vec<_> = bases.map(|base| PollItem::socket(base, wanted)).collect();
        tightbeam::poll(&mut items, None)?;
        let found = items.iter().enumerate().filter(|(_, item)| item.ready().readable);
        ready.extend(found.map(|(at, _)| at));
        Ok(())
    }
}

impl Socket for Ours {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        for more in (0..parts).rev() {
            either!(self.socket, send_slice_part(body, more > 0), Req Pair Push Pub Dealer)?;
        }
        Ok(())
    }

    async fn recv(&mut self) -> Outcome<Received> {
        let body = &mut self.body;
        let copied = either!(self.socket, recv_into(body), Req Pair Pull Sub Dealer)?;
        let mut received = Received::of([&body[..copied.len]]);
        let mut more = copied.more;
        while more {
            let copied = either!(self.socket, recv_into(body), Req Pair Pull Sub Dealer)?;
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
        let copied = either!(self.socket, recv_into(body), Rep Pair)?;
        either!(self.socket, send_slice(&body[..copied.len]), Rep Pair)?;
        Ok(())
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        self.socket.subscribe(topic)
    }

    async fn close(self) -> Outcome {
        Ok(())
    }
}
