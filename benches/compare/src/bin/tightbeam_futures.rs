//! Tightbeam, through the futures of the Rust API, as tasks on tokio.

use std::future::Future;

use tightbeam::Context;
use tightbeam_compare::on_tokio::Tokio;
use tightbeam_compare::ours::{self, Kind};
use tightbeam_compare::{
    Library, Outcome, Received, Setup, Socket, either, main as work, on_tokio,
};

fn main() -> Outcome {
    work::<Tightbeam>()
}

#[derive(Clone)]
struct Tightbeam {
    context: Context,
    tokio: Tokio,
}

struct Ours(Kind);

impl Library for Tightbeam {
    type Socket = Ours;

    fn new() -> Outcome<Self> {
        Ok(Self { context: ours::context()?, tokio: Tokio::new()? })
    }

    on_tokio!();

    async fn bind(&self, setup: &Setup, endpoint: &str, ready: impl FnOnce()) -> Outcome<Ours> {
        let socket = Kind::bind(&self.context, setup, endpoint)?;
        socket.base().drive_on_tokio()?;
        ready();
        Ok(Ours(socket))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Ours> {
        let socket = Kind::connect(&self.context, setup, endpoint)?;
        socket.base().drive_on_tokio()?;
        Ok(Ours(socket))
    }
}

impl Socket for Ours {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        let message = ours::message(body, parts);
        Ok(either!(self.0, send_async(message), Req Pair Push Pub Dealer).await?)
    }

    async fn recv(&mut self) -> Outcome<Received> {
        let message = either!(self.0, recv_async(), Req Pair Pull Sub Dealer).await?;
        Ok(ours::looked_at(&message))
    }

    async fn echo(&mut self) -> Outcome {
        let message = either!(self.0, recv_async(), Rep Pair Router).await?;
        Ok(either!(self.0, send_async(message), Rep Pair Router).await?)
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        self.0.subscribe(topic)
    }

    async fn close(self) -> Outcome {
        Ok(())
    }
}
