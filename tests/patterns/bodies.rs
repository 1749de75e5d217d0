//! Bodies of every size, and bodies that the application brings.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tightbeam::{Context, Dealer, Frame, Message, Pull, Push, Rep, Req, Socket};
use tightbeam_tests::sockets::*;

/// Bytes that differ from place to place.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[test]
fn every_size_arrives_as_it_was() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    let powers = (0..24).map(|power| 1usize << power);
    let sizes =
        powers.flat_map(|size| [size - 1, size, size + 1]).chain([0, 255, 256, 100_000_000]);
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            while let Ok(message) = rep.recv_timeout(LIMIT * 3) {
                let last = message == "end";
                rep.send(message).unwrap();
                if last {
                    return true;
                }
            }
            false
        });
        for size in sizes {
            let body = pattern(size);
            req.send(body.clone()).unwrap();
            assert!(req.recv_timeout(LIMIT * 3).unwrap() == body, "{size} bytes");
        }
        req.send("end").unwrap();
        assert!(server.join().unwrap());
    });
}

#[test]
fn sizes_mixed_in_one_message_and_in_one_stream() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let sizes = [
        0, 1, 33, 34, 255, 256, 8191, 8192, 8193, 16_383, 16_384, 32_767, 32_768, 131_072, 400_000,
        3_000_000,
    ];
    let message: Message = sizes.iter().map(|size| Frame::from(pattern(*size))).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..3 {
                push.send(message.clone()).unwrap();
                for size in sizes {
                    push.send(pattern(size)).unwrap();
                }
            }
        });
        for _ in 0..3 {
            assert!(pull.recv_timeout(LIMIT).unwrap() == message);
            for size in sizes {
                assert!(pull.recv_timeout(LIMIT).unwrap() == pattern(size), "{size} bytes");
            }
        }
    });
}

#[test]
fn messages_of_a_thousand_parts_small_and_large() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    for size in [0, 5, 10_000] {
        let message: Message = (0..1000).map(|i| Frame::from(pattern(size + i % 7))).collect();
        thread::scope(|scope| {
            scope.spawn(|| push.send(message.clone()).unwrap());
            assert!(pull.recv_timeout(LIMIT).unwrap() == message, "parts of {size} bytes");
        });
    }
}

/// What a free function is given as its hint.
struct Hint {
    freed: AtomicUsize,
    /// A socket to be used in the free function.
    reply_with: Option<Arc<Mutex<Socket<Dealer>>>>,
    body: Vec<u8>,
}

extern "C" fn free(_data: *mut c_void, hint: *mut c_void) {
    // SAFETY: every frame here is made with a leaked `Hint`.
    let hint = unsafe { &*hint.cast::<Hint>() };
    hint.freed.fetch_add(1, Ordering::SeqCst);
    if let Some(socket) = &hint.reply_with {
        let socket = socket.lock().unwrap();
        socket.try_send("freed").unwrap();
        let _ = socket.stats().unwrap();
    }
}

/// A frame whose body is the hint's, and the hint.
fn foreign(len: usize, reply_with: Option<Arc<Mutex<Socket<Dealer>>>>) -> (Frame, &'static Hint) {
    let hint = Box::new(Hint { freed: AtomicUsize::new(0), reply_with, body: pattern(len) });
    let hint = Box::leak(hint);
    let (data, address) = (hint.body.as_mut_ptr(), (&raw mut *hint).cast());
    // SAFETY: the leaked body lives for ever and is not written to.
    let frame = unsafe { Frame::from_foreign(data, len, Some(free), address) };
    (frame, hint)
}

#[test]
fn a_foreign_body_is_sent_as_it_is_and_freed_once() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    for len in [1, 100, 8192, 16_384, 1_000_000] {
        let (frame, hint) = foreign(len, None);
        push.send(Message::multipart([frame, Frame::from("end")])).unwrap();
        let received = pull.recv_timeout(LIMIT).unwrap();
        assert!(received[0] == hint.body);
        until("the body is freed", || hint.freed.load(Ordering::SeqCst) > 0);
        drop(received);
        assert_eq!(hint.freed.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_foreign_body_is_freed_once_wherever_its_message_ends() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let (frame, refused) = foreign(100_000, None);
    let back = push.try_send(frame).unwrap_err().message;
    assert_eq!(refused.freed.load(Ordering::SeqCst), 0);
    drop(back);
    assert_eq!(refused.freed.load(Ordering::SeqCst), 1);
    push.connect("tcp://127.0.0.1:1").unwrap();
    let (frame, queued) = foreign(100_000, None);
    let copy = frame.clone();
    push.send(frame).unwrap();
    let (part, staged) = foreign(100_000, None);
    push.send_part(&part, true).unwrap();
    drop(part);
    set(&push, tightbeam::options::number::LINGER, 0);
    assert_eq!((queued.freed.load(Ordering::SeqCst), staged.freed.load(Ordering::SeqCst)), (0, 0));
    assert_eq!(push.close(), 1);
    until("the staged part is freed", || staged.freed.load(Ordering::SeqCst) == 1);
    assert_eq!(queued.freed.load(Ordering::SeqCst), 0, "a copy is alive");
    drop(copy);
    until("the last of two is dropped", || queued.freed.load(Ordering::SeqCst) == 1);
}

#[test]
fn a_free_function_may_use_the_socket_that_runs_it() {
    let context = Context::new();
    let (peer, socket) = join::<Dealer, Dealer>(&context);
    let socket = Arc::new(Mutex::new(socket));
    let (frame, hint) = foreign(200_000, Some(Arc::clone(&socket)));
    // Through a handle, so that the mutex is free when the free function takes it.
    let sender = context.socket_by_handle(socket.lock().unwrap().handle()).unwrap();
    sender.send(frame).unwrap();
    assert!(peer.recv_timeout(LIMIT).unwrap() == hint.body);
    assert_eq!(peer.recv_timeout(LIMIT).unwrap(), "freed");
    assert_eq!(hint.freed.load(Ordering::SeqCst), 1);
}

struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_owner_is_dropped_once_when_its_bytes_have_left() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let drops = Arc::new(AtomicUsize::new(0));
    for i in 0..100 {
        push.send(Frame::from_owner(Counted(pattern(50_000), Arc::clone(&drops)))).unwrap();
        assert!(pull.recv_timeout(LIMIT).unwrap() == pattern(50_000), "message {i}");
    }
    until("all owners are dropped", || drops.load(Ordering::SeqCst) == 100);
}

#[test]
fn a_received_body_can_be_sent_on() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let (next_pull, next_push) = join::<Pull, Push>(&context);
    for size in [3, 500, 500_000] {
        push.send([pattern(size), pattern(size)]).unwrap();
        next_push.send(pull.recv_timeout(LIMIT).unwrap()).unwrap();
        assert!(next_pull.recv_timeout(LIMIT).unwrap() == [pattern(size), pattern(size)]);
    }
}
