//! Sockets in tokio: streams, sinks and futures beside tokio's own, on its threads, which also read and write for them.
//!
//! ```text
//! cargo run --example async_tokio
//! ```

use std::error::Error;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, TryStreamExt};
use tightbeam::{Context, Message, Pull, Push, Rep, Req};

/// Answers requests until the context ends.
async fn serve(server: tightbeam::Socket<Rep>) -> tightbeam::Result<()> {
    let mut requests = server.messages();
    while let Some(request) = requests.try_next().await? {
        server.send_async(format!("{}, too", request.to_string_lossy())).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (server, client) = (context.socket::<Rep>()?, context.socket::<Req>()?);
    // Without this the I/O thread reads, and wakes the runtime.
    server.drive_on_tokio()?;
    client.drive_on_tokio()?;
    client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    let serving = tokio::spawn(serve(server));
    for greeting in ["hello", "goodbye"] {
        client.send_async(greeting).await?;
        // Dropping a future that waits loses nothing: time-outs and `select!` are safe.
        let reply = tokio::time::timeout(Duration::from_secs(5), client.recv_async()).await??;
        println!("{}", reply.to_string_lossy());
    }

    let (pull, push) = (context.socket::<Pull>()?, context.socket::<Push>()?);
    pull.drive_on_tokio()?;
    push.drive_on_tokio()?;
    push.connect(pull.bind("tcp://127.0.0.1:*")?)?;
    let feeding = tokio::spawn(async move {
        let numbers = (1..=1_000).map(|n: u32| Ok(Message::from(n.to_string())));
        let mut sink = push.sink();
        sink.send_all(&mut futures_util::stream::iter(numbers)).await
    });
    let texts = pull.messages().take(1_000).map_ok(|message| message.to_string_lossy());
    let sum = texts.try_fold(0, |sum, text| async move { Ok(sum + text.parse().unwrap_or(0)) });
    println!("the numbers from 1 to 1000 add up to {}", sum.await?);
    feeding.await??;

    context.shutdown();
    let ended = serving.await?;
    println!("the server ended: {}", ended.expect_err("the context ended"));
    Ok(())
}
