//! One slow peer does not hold up the others.

use std::thread;
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{AnySocket, Context, Dealer, Pull, Push, Router};
use tightbeam_tests::sockets::{LIMIT, bind, connect, join_up, open, open_with};

use crate::support::{finish, guarded};

#[test]
fn a_peer_that_does_not_read_does_not_starve_another() {
    guarded(|| {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(number::SNDHWM, 10), (number::LINGER, 0)]);
        let (slow, fast) =
            (open_with::<Pull>(&context, &[(number::RCVHWM, 1)]), open::<Pull>(&context));
        join_up(&push, &slow);
        join_up(&push, &fast);
        let receiver = thread::spawn(move || {
            let mut got = 0;
            while fast.recv_timeout(LIMIT).unwrap() != "end" {
                got += 1;
            }
            got
        });
        let body = vec![0; 50_000];
        for _ in 0..2_000 {
            push.send_timeout(body.as_slice(), LIMIT).unwrap();
        }
        // Whoever of the two is next in turn: the slow one is full, and is passed over.
        for _ in 0..2 {
            push.send_timeout("end", LIMIT).unwrap();
        }
        let got = finish(receiver);
        assert!(got >= 1_000, "only {got} messages went past the slow peer");
        drop(slow);
    });
}

#[test]
fn a_flood_from_one_peer_does_not_hide_another() {
    guarded(|| {
        let context = Context::new();
        let router = open::<Router>(&context);
        let endpoint = bind(&router);
        let flood: AnySocket =
            open_with::<Dealer>(&context, &[(number::SNDHWM, 100), (number::LINGER, 0)]).into();
        connect(&flood, &endpoint);
        let flooding =
            thread::spawn(
                move || {
                    while flood.send_timeout("flood", Duration::from_secs(2)).is_ok() {}
                },
            );
        for _ in 0..1_000 {
            router.recv_timeout(LIMIT).unwrap();
        }
        let quiet = open::<Dealer>(&context);
        connect(&quiet, &endpoint);
        for _ in 0..20 {
            quiet.send("quiet").unwrap();
            let mut before = 0;
            while router.recv_timeout(LIMIT).unwrap().frames()[1] != "quiet" {
                before += 1;
                assert!(before < 1_000_000, "the flood hides the other peer");
            }
        }
        drop(router);
        finish(flooding);
    });
}
