//! Free functions that call back into the library. They run without a lock.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tightbeam::{AnySocket, Context, Dealer, Frame, Pull, Push, Router, Socket};
use tightbeam_tests::sockets::{LIMIT, join, open};

use crate::support::guarded;

/// A body that does something when it is freed.
struct OnDrop<F: FnMut() + Send + 'static> {
    bytes: Vec<u8>,
    action: Mutex<F>,
}

impl<F: FnMut() + Send + 'static> AsRef<[u8]> for OnDrop<F> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<F: FnMut() + Send + 'static> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.action.lock().unwrap())();
    }
}

fn body(action: impl FnMut() + Send + 'static) -> Frame {
    Frame::from_owner(OnDrop { bytes: vec![1; 100_000], action: Mutex::new(action) })
}

#[test]
fn a_free_function_may_send_on_the_same_socket() {
    guarded(|| {
        let context = Context::new();
        let (push, pull) = join::<Push, Pull>(&context);
        let push: Arc<AnySocket> = Arc::new(push.into());
        for _ in 0..10 {
            let again = Arc::clone(&push);
            push.send(body(move || again.send("freed").unwrap())).unwrap();
            assert_eq!(pull.recv_timeout(LIMIT).unwrap().frames()[0].len(), 100_000);
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "freed");
        }
    });
}

/// The thread that waits in one socket drives it, frees a body there, and waits in another one
/// meanwhile: it is still woken in the first.
#[test]
fn a_free_function_may_wait_on_another_socket() {
    guarded(|| {
        let context = Context::new();
        let (router, dealer) = join::<Router, Dealer>(&context);
        let (push, pull) = join::<Push, Pull>(&context);
        let pull = Arc::new(pull);
        // More than the kernel takes at once: the rest is written, and freed, by whoever drives.
        let bytes = 20_000_000;
        for round in 0..10 {
            let (freed, was_freed) = channel();
            let pull = Arc::clone(&pull);
            let action = move || {
                pull.recv_timeout(LIMIT).unwrap();
                freed.send(()).unwrap();
            };
            thread::scope(|scope| {
                scope.spawn(|| {
                    let request = router.recv_timeout(LIMIT).unwrap();
                    router.send([&request.frames()[0][..], b"reply"]).unwrap();
                });
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(3 * round));
                    push.send("go on").unwrap();
                });
                let body = OnDrop { bytes: vec![1; bytes], action: Mutex::new(action) };
                dealer.send(Frame::from_owner(body)).unwrap();
                assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "reply");
            });
            was_freed.recv_timeout(LIMIT).unwrap();
        }
    });
}

/// Once the context is shut down nobody binds the name any more.
#[test]
fn a_socket_kept_by_a_body_for_a_name_that_nobody_has_does_not_keep_the_context() {
    guarded(|| {
        let context = Context::new();
        let kept: Arc<Socket<Pull>> = Arc::new(open(&context));
        let (freed, was_freed) = channel();
        let push: Socket<Push> = open(&context);
        push.connect("inproc://nobody").unwrap();
        push.send(body(move || freed.send(kept.stats().is_err()).unwrap())).unwrap();
        push.close();
        assert!(was_freed.try_recv().is_err(), "somebody might bind the name");
        assert!(context.term_timeout(LIMIT).unwrap());
        assert!(was_freed.recv().unwrap(), "freed before the context was shut down");
    });
}
