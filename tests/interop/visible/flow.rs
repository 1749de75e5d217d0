//! How much waits, for whom, and for how long.

use tightbeam::EventKind::{Disconnected, HandshakeSucceeded};
use tightbeam::SocketType::{Dealer, Pub, Pull, Push, Sub};
use tightbeam::options::{Value, number};

use crate::stage::Cast;

#[test]
fn an_immediate_sender_waits_for_its_peer() {
    Cast::each(|cast| {
        for immediate in [1, 0] {
            let (mut actor, mut other) = cast.ends(Push, Pull);
            actor.set_int(number::IMMEDIATE, immediate);
            let endpoint = other.reserve();
            actor.connect(&endpoint);
            let early = if immediate == 1 { Err(libc::EAGAIN) } else { Ok(()) };
            assert_eq!(actor.try_send(&["early"]), early);
            other.bind_again(&endpoint);
            actor.send(&["late"]);
            if immediate == 0 {
                other.expect(&["early"]);
            }
            other.expect(&["late"]);
        }
    });
}

/// The connection that is there gets everything, not the one that is being tried.
#[test]
fn an_immediate_sender_gives_nothing_to_whom_is_not_there() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Push, Pull);
        let nobody = cast.other(Pull).reserve();
        actor.set_int(number::IMMEDIATE, 1);
        actor.connect(&nobody);
        actor.meet(&mut other);
        for i in 0..10 {
            actor.send(&[i.to_string()]);
        }
        for i in 0..10 {
            other.expect(&[i.to_string()]);
        }
    });
}

#[test]
fn so_many_messages_wait_for_a_peer_that_is_to_come() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Push, Pull);
        actor.set_int(number::SNDHWM, 3);
        let endpoint = other.reserve();
        actor.connect(&endpoint);
        let room = (0..10).take_while(|i| actor.try_send(&[i.to_string()]).is_ok()).count();
        assert_eq!(room, 3);
        other.bind_again(&endpoint);
        for i in 0..3 {
            other.expect(&[i.to_string()]);
        }
    });
}

#[test]
fn a_receiver_that_does_not_read_holds_its_sender_back() {
    let body = "x".repeat(300_000);
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Pull, Push);
        actor.set_int(number::RCVHWM, 2);
        actor.set_int(number::RCVBUF, 100_000);
        other.set_int(number::SNDHWM, 2);
        other.set_int(number::SNDBUF, 100_000);
        other.meet(&mut actor);
        let sent = (0..50).take_while(|i| other.try_send(&[&i.to_string(), &body]).is_ok());
        let sent = sent.count();
        assert!((2..30).contains(&sent), "{sent} messages");
        for i in 0..sent {
            assert_eq!(actor.recv()[0], i.to_string().as_bytes());
        }
        // It goes on.
        other.send(&["more"]);
        actor.expect(&["more"]);
    });
}

#[test]
fn a_closed_socket_that_lingers_still_delivers() {
    Cast::each(|cast| {
        for linger_ms in [-1, 20_000] {
            let (mut actor, mut other) = cast.ends(Push, Pull);
            actor.set_int(number::LINGER, linger_ms);
            let endpoint = other.reserve();
            actor.connect(&endpoint);
            actor.send(&["waiting"]);
            actor.close();
            other.bind_again(&endpoint);
            other.expect(&["waiting"]);
        }
    });
}

#[test]
fn a_closed_socket_that_does_not_linger_takes_its_messages_along() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Push, Pull);
        actor.set_int(number::LINGER, 0);
        let endpoint = other.reserve();
        actor.connect(&endpoint);
        actor.send(&["waiting"]);
        actor.finish();
        other.bind_again(&endpoint);
        let mut next = cast.actor(Push);
        next.connect(&endpoint);
        next.send(&["next"]);
        other.expect(&["next"]);
    });
}

#[test]
fn a_part_too_large_ends_the_connection_and_the_next_one_is_better() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Pull, Push);
        actor.set(number::MAXMSGSIZE, Value::Int64(100));
        other.meet(&mut actor);
        let part = "x".repeat(100);
        other.send(&[&part, &part]);
        actor.expect(&[&part, &part]);
        other.send(&["x".repeat(101)]);
        actor.until(Disconnected);
        other.until(Disconnected);
        other.until(HandshakeSucceeded);
        other.send(&["again"]);
        actor.expect(&["again"]);
    });
}

#[test]
fn of_what_waits_a_conflating_sender_keeps_the_last() {
    Cast::each(|cast| {
        for (sender, receiver) in [(Push, Pull), (Dealer, Dealer)] {
            let (mut actor, mut other) = cast.ends(sender, receiver);
            actor.set_int(number::CONFLATE, 1);
            let endpoint = other.reserve();
            actor.connect(&endpoint);
            for body in ["1", "2", "3"] {
                actor.send(&[body]);
            }
            other.bind_again(&endpoint);
            other.expect(&["3"]);
            actor.send(&["4"]);
            other.expect(&["4"]);
        }
    });
}

#[test]
fn of_what_has_come_a_conflating_receiver_keeps_the_last() {
    const COUNT: usize = 2000;
    Cast::each(|cast| {
        for (receiver, sender) in [(Pull, Push), (Dealer, Dealer), (Sub, Pub)] {
            let (mut actor, mut other) = cast.ends(receiver, sender);
            actor.set_int(number::CONFLATE, 1);
            // Or a publisher drops the last one, if it is quicker than what writes.
            other.set_int(number::SNDHWM, 0);
            if receiver == Sub {
                actor.set_text(number::SUBSCRIBE, "");
            }
            other.meet(&mut actor);
            if receiver == Sub {
                // Until the subscription has come nothing is sent.
                while actor.recv_within(std::time::Duration::from_millis(1)).is_err() {
                    other.send(&["0"]);
                }
            }
            for i in 1..=COUNT {
                other.send(&[i.to_string()]);
            }
            let mut seen = vec![0];
            while seen.last() != Some(&COUNT) {
                let text = String::from_utf8(actor.recv().remove(0)).expect("a number");
                seen.push(text.parse().expect("a number"));
            }
            assert!(seen.is_sorted(), "{seen:?}");
            assert!(seen.len() < COUNT, "nothing was replaced");
        }
    });
}
