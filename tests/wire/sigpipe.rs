//! Programs that leave SIGPIPE as it is, as C programs do, are not ended by peers that go.

use tightbeam::options::number::ROUTER_MANDATORY;
use tightbeam::{Context, Frame, Router};
use tightbeam_tests::peer::{Peer, Speaks};
use tightbeam_tests::sockets::{LIMIT, await_peers, bind, open_with};

use crate::child::alone;

/// What is written alone, and what is written as several buffers.
const SIZES: [usize; 2] = [1, 1 << 20];

/// What a program finds that was not started by Rust.
fn reset_sigpipe() {
    // SAFETY: no handler is installed, the default action is.
    assert_ne!(unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) }, libc::SIG_ERR);
}

#[test]
fn a_write_after_the_end_raises_no_signal() {
    if !alone("sigpipe::a_write_after_the_end_raises_no_signal") {
        return;
    }
    reset_sigpipe();
    let context = Context::new();
    for size in SIZES {
        let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
        let mut peer = Peer::join(bind(&router), "DEALER", Speaks::V3_1);
        peer.send_message(&[b"x"]);
        let message = router.recv_timeout(LIMIT).unwrap();
        let descriptor = message[1].peer().unwrap().descriptor().unwrap();
        // Ends the stream behind the socket's back: every write fails from here on.
        // SAFETY: the connection is open, since its peer is.
        assert_eq!(unsafe { libc::shutdown(descriptor, libc::SHUT_WR) }, 0);
        router.send([message[0].clone(), Frame::from(vec![7; size])]).unwrap();
        await_peers(&router, 0);
    }
}

#[test]
fn peers_that_vanish_while_they_are_sent_to_raise_no_signal() {
    if !alone("sigpipe::peers_that_vanish_while_they_are_sent_to_raise_no_signal") {
        return;
    }
    reset_sigpipe();
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    let endpoint = bind(&router);
    for round in 0..100 {
        let mut peer = Peer::join(&endpoint, "DEALER", Speaks::V3_1);
        peer.send_message(&[b"x"]);
        let id = router.recv_timeout(LIMIT).unwrap()[0].clone();
        let body = Frame::from(vec![7; [100, 10_000][round % 2]]);
        drop(peer);
        while router.try_send([id.clone(), body.clone()]).is_ok() {}
        await_peers(&router, 0);
    }
}
