//! Futures without a runtime: the ones that sockets give work with any executor, also with this one
//! of a few lines.
//!
//! ```text
//! cargo run --example async
//! ```

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tightbeam::{Context, Rep, Req, Socket};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

async fn answer(server: Socket<Rep>, count: usize) -> tightbeam::Result<()> {
    for _ in 0..count {
        let question = server.recv_async().await?;
        server.send_async(format!("{} to you, too", question.to_string_lossy())).await?;
    }
    server.close();
    Ok(())
}

async fn ask(client: Socket<Req>, count: usize) -> tightbeam::Result<()> {
    for _ in 0..count {
        client.send_async("hello").await?;
        println!("{}", client.recv_async().await?.to_string_lossy());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let server = context.socket::<Rep>()?;
    let client = context.socket::<Req>()?;
    client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    let answering = thread::spawn(move || block_on(answer(server, 3)));
    block_on(ask(client, 3))?;
    Ok(answering.join().map_err(|_| "the server panicked")??)
}
