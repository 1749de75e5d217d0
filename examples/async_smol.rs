//! Sockets in smol: tasks are handed to workers in turn, and their results collected, within one process.
//!
//! ```text
//! cargo run --example async_smol
//! ```

use std::error::Error;

use smol::stream::StreamExt;
use tightbeam::{Context, Pull, Push, Socket};

/// Doubles what comes until the word to stop.
async fn work(tasks: Socket<Pull>, results: Socket<Push>) -> tightbeam::Result<()> {
    let mut tasks = tasks.messages();
    while let Some(task) = tasks.try_next().await? {
        let Ok(number) = task.to_string_lossy().parse::<u32>() else { break };
        results.send_async((2 * number).to_string()).await?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let context = Context::new();
    let (tasks, results) = (context.socket::<Push>()?, context.socket::<Pull>()?);
    let (tasks_at, results_at) = (tasks.bind("inproc://tasks")?, results.bind("inproc://results")?);
    smol::block_on(async {
        let mut workers = Vec::new();
        for _ in 0..2 {
            let (mine, back) = (context.socket::<Pull>()?, context.socket::<Push>()?);
            mine.connect(&tasks_at)?;
            back.connect(&results_at)?;
            workers.push(smol::spawn(work(mine, back)));
        }
        for n in 1..=10 {
            tasks.send_async(n.to_string()).await?;
        }
        let mut sum = 0;
        let mut doubled = results.messages().take(10);
        while let Some(message) = doubled.try_next().await? {
            sum += message.to_string_lossy().parse::<u32>()?;
        }
        println!("the numbers from 1 to 10, doubled, add up to {sum}");
        assert_eq!(sum, 110);
        for _ in &workers {
            tasks.send_async("stop").await?;
        }
        for worker in workers {
            worker.await?;
        }
        Ok(())
    })
}
