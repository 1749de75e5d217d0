//! Tasks on sockets that a tokio runtime drives: what they leave to the driver, and to each other.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use tightbeam::options::number;
use tightbeam::{Context, Pull, Push};
use tightbeam_tests::sockets::{await_waiting, join_up, open, open_with, waiting};

use crate::on_tokio::{driven, on_both, one_thread, soon};
use crate::support::{guarded, hold_up};

#[test]
fn a_runtime_drives_a_socket_however_often_it_is_asked_to() {
    on_both(|runtime| {
        let context = Context::new();
        let (pull, push) = driven::<Pull, Push>(&runtime, &context);
        runtime.block_on(async {
            for _ in 0..20 {
                for _ in 0..3 {
                    pull.drive_on_tokio().unwrap();
                }
                push.send_async("again").await.unwrap();
                assert_eq!(soon(pull.recv_async()).await.unwrap(), "again");
            }
            soon(async {
                while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 2 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        });
    });
}

/// Reading that goes on once there is room is the driver's, also if no task waits on the socket.
#[test]
fn what_there_is_room_for_again_is_read_while_its_task_waits_elsewhere() {
    const COUNT: usize = 8;
    on_both(|runtime| {
        let (here, there) = (Context::new(), Context::new());
        let pull = open_with::<Pull>(&here, &[(number::RCVHWM, 2)]);
        let push = open::<Push>(&there);
        join_up(&pull, &push);
        runtime.block_on(async {
            pull.drive_on_tokio().unwrap();
            push.send_async("driven").await.unwrap();
            soon(pull.recv_async()).await.unwrap();
            // From here on only the runtime can read.
            let _held_up = hold_up(&here);
            for _ in 0..COUNT {
                push.send_async(vec![0; 100_000]).await.unwrap();
            }
            let reaches = async |count| {
                while waiting(&pull) < count {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            soon(reaches(2)).await;
            // What else has been sent arrives, of which the kernel would tell the driver.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let before = waiting(&pull);
            for _ in 0..before {
                soon(pull.recv_async()).await.unwrap();
            }
            soon(reaches(1)).await;
            for _ in before..COUNT {
                soon(pull.recv_async()).await.unwrap();
            }
        });
    });
}

/// However much there is to receive, and whatever way it is received and sent.
#[test]
fn tasks_that_never_have_to_wait_let_others_run() {
    const COUNT: u32 = 4_000;
    guarded(|| {
        let context = Context::new();
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 0)]);
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 0)]);
        join_up(&pull, &push);
        one_thread().block_on(async {
            pull.drive_on_tokio().unwrap();
            push.drive_on_tokio().unwrap();
            let turns = Arc::new(AtomicU32::new(0));
            let others = Arc::clone(&turns);
            tokio::spawn(async move {
                loop {
                    others.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
            let check = |how| {
                let others = turns.swap(0, Ordering::Relaxed);
                assert!(others > COUNT / 1_000, "{how}: others had {others} turns");
            };
            let mut sink = push.sink();
            for _ in 0..COUNT {
                push.send_async("no wait").await.unwrap();
            }
            check("send_async");
            for _ in 0..COUNT {
                poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)).await.unwrap();
                Pin::new(&mut sink).start_send("no wait".into()).unwrap();
            }
            check("sink");
            await_waiting(&pull, 2 * COUNT as usize);
            turns.store(0, Ordering::Relaxed);
            for _ in 0..COUNT {
                pull.recv_async().await.unwrap();
            }
            check("recv_async");
            let mut messages = pull.messages();
            for _ in 0..COUNT {
                poll_fn(|cx| Pin::new(&mut messages).poll_next(cx)).await.unwrap().unwrap();
            }
            check("messages");
        });
    });
}
