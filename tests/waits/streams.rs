//! Sockets as streams and sinks, polled by hand and by an executor, beside threads that block.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use tightbeam::options::number;
use tightbeam::{
    AnySocket, Context, Error, Message, MessageSink, Messages, Pull, Push, Rep, Req, SocketType,
};
use tightbeam_tests::sockets::{LIMIT, await_waiting, join, join_up, open, open_with, until};

use crate::support::{CallOnWake, block_on, finish, guarded};

async fn next(messages: &mut Messages) -> Option<tightbeam::Result<Message>> {
    poll_fn(|cx| Pin::new(&mut *messages).poll_next(cx)).await
}

async fn put(sink: &mut MessageSink, message: Message) -> tightbeam::Result<()> {
    poll_fn(|cx| Pin::new(&mut *sink).poll_ready(cx)).await?;
    Pin::new(&mut *sink).start_send(message)?;
    poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx)).await
}

fn poll_idly(messages: &mut Messages) -> Poll<Option<tightbeam::Result<Message>>> {
    Pin::new(messages).poll_next(&mut TaskContext::from_waker(Waker::noop()))
}

fn is_ready(sink: &mut MessageSink) -> bool {
    Pin::new(sink).poll_ready(&mut TaskContext::from_waker(Waker::noop())).is_ready()
}

fn is_flushed(sink: &mut MessageSink) -> bool {
    Pin::new(sink).poll_flush(&mut TaskContext::from_waker(Waker::noop())).is_ready()
}

#[test]
fn what_goes_into_a_sink_comes_out_of_a_stream() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let sender = thread::spawn(move || {
            let mut sink = push.sink();
            block_on(async {
                for n in 0..3_000 {
                    put(&mut sink, n.to_string().into()).await.unwrap();
                }
                poll_fn(|cx| Pin::new(&mut sink).poll_close(cx)).await.unwrap();
            });
            push.send("the socket is open").unwrap();
            push
        });
        let mut messages = pull.messages();
        block_on(async {
            for n in 0..3_000 {
                assert_eq!(next(&mut messages).await.unwrap().unwrap(), n.to_string().as_str());
            }
            assert_eq!(next(&mut messages).await.unwrap().unwrap(), "the socket is open");
        });
        finish(sender);
    });
}

#[test]
fn a_stream_ends_with_one_error_when_the_context_does() {
    guarded(|| {
        let context = Context::new();
        let (_push, pull) = join::<Push, Pull>(&context);
        let waiter = thread::spawn(move || {
            let mut messages = pull.messages();
            block_on(async {
                assert!(matches!(next(&mut messages).await, Some(Err(Error::Terminated))));
                assert!(messages.is_terminated());
                assert!(next(&mut messages).await.is_none());
            });
        });
        thread::sleep(Duration::from_millis(10));
        context.shutdown();
        finish(waiter);
    });
}

/// A stream is polled, or not, and dropped, at every stage of a message's arrival.
#[test]
fn dropping_a_stream_loses_nothing() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let mut got = 0;
        let mut take = |polled: Poll<Option<tightbeam::Result<Message>>>| {
            if let Poll::Ready(message) = polled {
                assert_eq!(message.unwrap().unwrap(), got.to_string().as_str());
                got += 1;
            }
        };
        for n in 0..400 {
            let mut messages = pull.messages();
            if n % 3 == 0 {
                take(poll_idly(&mut messages));
            }
            push.send(n.to_string()).unwrap();
            if n % 4 == 0 {
                await_waiting(&pull, 1);
            }
            if n % 5 == 0 {
                take(poll_idly(&mut messages));
            }
        }
        let mut messages = pull.messages();
        while got < 400 {
            let message = block_on(next(&mut messages)).unwrap().unwrap();
            assert_eq!(message, got.to_string().as_str());
            got += 1;
        }
    });
}

/// The notification of a stream that is dropped goes to whoever waits beside it, future or thread.
#[test]
fn a_stream_that_is_dropped_passes_its_notification_on() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        for round in 0..20 {
            let notified = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&notified);
            let waker = Waker::from(Arc::new(CallOnWake(move || {
                count.fetch_add(1, Ordering::SeqCst);
            })));
            let mut first = pull.messages();
            let polled = Pin::new(&mut first).poll_next(&mut TaskContext::from_waker(&waker));
            assert!(polled.is_pending());
            let second = {
                let pull = Arc::clone(&pull);
                thread::spawn(move || match round % 2 {
                    0 => block_on(next(&mut pull.messages())).unwrap(),
                    _ => pull.recv(),
                })
            };
            thread::sleep(Duration::from_millis(2));
            push.send("for either").unwrap();
            until("the first is notified", || notified.load(Ordering::SeqCst) > 0);
            drop(first);
            assert_eq!(finish(second).unwrap(), "for either");
        }
    });
}

#[test]
fn many_streams_futures_and_threads_share_a_socket() {
    const COUNT: usize = 6_000;
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let (pull, got) = (Arc::new(pull), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..9)
            .map(|n| {
                let (pull, got) = (Arc::clone(&pull), Arc::clone(&got));
                thread::spawn(move || {
                    let mut messages = pull.messages();
                    loop {
                        let received = match n % 3 {
                            0 => block_on(next(&mut messages)).unwrap(),
                            1 => block_on(pull.recv_async()),
                            _ => pull.recv(),
                        };
                        match received {
                            Ok(_) => got.fetch_add(1, Ordering::SeqCst),
                            Err(error) => return assert!(matches!(error, Error::Terminated)),
                        };
                    }
                })
            })
            .collect();
        for n in 0..COUNT {
            push.send(n.to_string()).unwrap();
            if n % 211 == 0 {
                thread::sleep(Duration::from_micros(500));
            }
        }
        until("all are received", || got.load(Ordering::SeqCst) == COUNT);
        context.shutdown();
        threads.into_iter().for_each(finish);
    });
}

#[test]
fn a_sink_is_ready_when_there_is_room() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
        let mut sink = push.sink();
        assert!(!is_ready(&mut sink), "there is no peer");
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 1)]);
        join_up(&pull, &push);
        let mut sent = 0;
        until("it is full", || {
            while is_ready(&mut sink) {
                Pin::new(&mut sink).start_send(vec![1; 100_000].into()).unwrap();
                sent += 1;
            }
            thread::sleep(Duration::from_millis(20));
            !is_ready(&mut sink)
        });
        let sender = thread::spawn(move || {
            block_on(put(&mut sink, "the last".into())).unwrap();
            push
        });
        for _ in 0..sent {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap().frames()[0].len(), 100_000);
        }
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "the last");
        finish(sender);
    });
}

/// Others took the room between `poll_ready` and `start_send`: the sink holds the message.
#[test]
fn a_sink_holds_a_message_until_there_is_room_or_it_is_taken_back() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 1), (number::LINGER, 0)]);
        push.connect("inproc://later").unwrap();
        let mut sink = push.sink();
        assert!(is_ready(&mut sink));
        push.send("somebody else's").unwrap();
        Pin::new(&mut sink).start_send("held".into()).unwrap();
        assert!(!is_flushed(&mut sink) && !is_ready(&mut sink));
        assert_eq!(sink.take_unsent().unwrap(), "held");
        assert!(is_flushed(&mut sink));
        Pin::new(&mut sink).start_send("held again".into()).unwrap();
        let pull = open::<Pull>(&context);
        pull.bind("inproc://later").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "somebody else's");
        block_on(poll_fn(|cx| Pin::new(&mut sink).poll_flush(cx))).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "held again");
    });
}

#[test]
fn what_cannot_be_sent_is_refused_and_given_back() {
    guarded(|| {
        let context = Context::new();
        let pull: AnySocket = context.any_socket(SocketType::Pull).unwrap();
        let mut sink = pull.sink();
        let ready = block_on(poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)));
        assert!(matches!(ready, Err(Error::Unsupported { .. })));
        let (_rep, req) = join::<Rep, Req>(&context);
        let mut sink = req.sink();
        block_on(put(&mut sink, "first".into())).unwrap();
        let ready = block_on(poll_fn(|cx| Pin::new(&mut sink).poll_ready(cx)));
        assert!(matches!(ready, Err(Error::OutOfTurn(_))));
        let refused = Pin::new(&mut sink).start_send("second".into());
        assert!(matches!(refused, Err(Error::OutOfTurn(_))));
        assert_eq!(sink.take_unsent().unwrap(), "second");
    });
}
