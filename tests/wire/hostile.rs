//! What one unauthenticated peer does to a library: giant lengths, floods, and what never ends. The
//! peer is closed with a reason, memory stays within bounds, and a good peer is served.

use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Dealer, EventKind, Pub, Pull, Push, Router};
use tightbeam_tests::peer::{Peer, Speaks, bytes, command, frame, frame_v1, greeting, property};

use crate::bench::{bound, bound_with};
use crate::child::alone;
use crate::memory;
use crate::starved::cpu_time;

const MIB: isize = 1 << 20;

#[test]
fn giant_and_odd_lengths_close_the_connection_at_the_header() {
    for (header, reason) in [
        ("02 4000000000000000", "a frame of 4611686018427387904 bytes is above the limit"),
        ("03 4000000000000000", "a frame of 4611686018427387904 bytes is above the limit"),
        ("02 7fffffffffffffff", "a frame of 9223372036854775807 bytes is above the limit"),
        ("02 0000010000000000", "a frame of 1099511627776 bytes is above the limit of 1073741824"),
        ("02 8000000000000000", "length of 9223372036854775808 bytes is out of range"),
        ("02 ffffffffffffffff", "length of 18446744073709551615 bytes is out of range"),
        ("02 fffffffffffffff7", "length of 18446744073709551607 bytes is out of range"),
        ("06 0000000000010001", "a command of 65537 bytes is above the limit of 65536"),
        ("06 4000000000000000", "a command of 4611686018427387904 bytes is above the limit"),
        ("08 00", "frame flags 0x08 have a reserved bit set"),
        ("05 00", "a command with the MORE flag"),
    ] {
        let bench = bound::<Pull>();
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
        peer.send("00 02 'ok'");
        assert_eq!(bench.recv(), b"ok");
        peer.send(header);
        peer.expect_closed();
        bench.wait_for_loss(reason);
        bench.expect_good_service();
    }
}

#[test]
fn giant_lengths_in_1_0_close_the_connection() {
    for header in [
        "ff ffffffffffffffff 00",
        "ff 8000000000000001 00",
        "ff 0000010000000001 00",
        "ff 0000000000000000 00",
    ] {
        let bench = bound::<Pull>();
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V1_0);
        peer.send(header);
        peer.expect_closed();
        bench.wait_for_loss("broke the protocol");
        bench.expect_good_service();
    }
}

#[test]
fn a_ready_of_60_mb_is_refused_at_its_header() {
    if !alone("hostile::a_ready_of_60_mb_is_refused_at_its_header") {
        return;
    }
    let bench = bound::<Pull>();
    let value = vec![b'v'; 60_000_000];
    let data = [property("Socket-Type", b"PUSH"), property("X-Long", &value)].concat();
    let wire = [greeting(1), command("READY", &data)].concat();
    memory::reset_peak();
    let before = memory::live();
    let mut peer = Peer::connect(&bench.endpoint);
    assert!(!peer.offer(&wire), "all of it was taken");
    bench.wait_for_refusal("a command of 60000037 bytes is above the limit of 65536");
    let grown = memory::peak() - before;
    println!("measured: 60 MB READY: {} KiB at the peak", grown / 1024);
    assert!(grown < MIB, "{grown} bytes");
    bench.expect_good_service();
}

#[test]
fn a_body_that_never_ends_costs_what_was_sent() {
    if !alone("hostile::a_body_that_never_ends_costs_what_was_sent") {
        return;
    }
    for speaks in [Speaks::V3_1, Speaks::V1_0] {
        let limit = 64 * MIB;
        let bench = bound_with::<Pull>(&[(number::MAX_HELD_BYTES, limit as i32)]);
        let mut peer = Peer::join(&bench.endpoint, "PUSH", speaks);
        let piece = vec![1; 1 << 20];
        memory::reset_peak();
        let before = memory::live();
        // Two frames of one message, each within the limit.
        peer.send(if speaks == Speaks::V1_0 {
            "ff 0000000003000001 01"
        } else {
            "03 0000000003000000"
        });
        peer.send_bytes(&vec![1; 0x300_0000]);
        peer.send(if speaks == Speaks::V1_0 {
            "ff 0000000003000001 01"
        } else {
            "03 0000000003000000"
        });
        let mut sent = 0;
        while peer.offer(&piece) && sent < 4 * limit {
            sent += MIB;
        }
        bench.wait_for_loss("budget of bytes held");
        let grown = memory::peak() - before;
        println!(
            "measured: an endless body ({speaks:?}): {} MiB at the peak, 64 allowed",
            grown / MIB
        );
        assert!(grown <= 2 * limit + 2 * MIB, "{grown} bytes");
        bench.expect_good_service();
    }
    assert!(memory::resident_peak() < 300 * MIB, "{} resident", memory::resident_peak());
}

#[test]
fn a_header_alone_costs_at_most_a_mebibyte() {
    if !alone("hostile::a_header_alone_costs_at_most_a_mebibyte") {
        return;
    }
    let bench = bound::<Pull>();
    let before = memory::live();
    let mut peers: Vec<Peer> =
        (0..50).map(|_| Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1)).collect();
    for peer in &mut peers {
        peer.send("02 0000000030000000 'x'*10");
    }
    bench.expect_good_service();
    let each = (memory::live() - before) / 50;
    println!("measured: an open body of 768 MiB with 10 bytes: {} KiB each", each / 1024);
    assert!(each <= MIB + 64 * 1024, "{each} bytes each");
}

#[test]
fn endless_multipart_ends_at_the_limit_of_frames() {
    if !alone("hostile::endless_multipart_ends_at_the_limit_of_frames") {
        return;
    }
    let bench = bound::<Pull>();
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    let piece = bytes("01 01 'x'").repeat(10_000);
    memory::reset_peak();
    let before = memory::live();
    while peer.offer(&piece) {}
    bench.wait_for_loss("a message of more than 65536 frames");
    let grown = memory::peak() - before;
    println!("measured: endless multipart: {} KiB at the peak", grown / 1024);
    assert!(grown < 2 * MIB, "{grown} bytes");
    bench.expect_nothing();
    bench.expect_good_service();
}

#[test]
fn multipart_of_large_frames_ends_at_the_bytes_held_even_if_sent_in_pieces() {
    if !alone("hostile::multipart_of_large_frames_ends_at_the_bytes_held_even_if_sent_in_pieces") {
        return;
    }
    let limit = 32 * MIB;
    for size in [200, 20_000, 33_000, 300_000] {
        let bench = bound_with::<Pull>(&[(number::MAX_HELD_BYTES, limit as i32)]);
        let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
        let piece = frame(1, &vec![7; size]);
        memory::reset_peak();
        let before = memory::live();
        let mut pieces = 0;
        while peer.offer(&piece) && bench.connections() == 1 {
            pieces += 1;
        }
        let grown = memory::peak() - before;
        let reason = bench.wait_for(EventKind::Disconnected).reason.unwrap_or_default();
        println!(
            "measured: multipart, {pieces} x {size}: {} MiB at the peak, 32 allowed: {reason}",
            grown / MIB
        );
        assert!(grown <= 2 * limit + 2 * MIB, "{grown} bytes for frames of {size}");
        bench.expect_good_service();
    }
}

#[test]
fn one_subscription_of_2_mib_costs_what_it_is_long() {
    if !alone("hostile::one_subscription_of_2_mib_costs_what_it_is_long") {
        return;
    }
    let bench = bound::<Pub>();
    let topic = vec![b't'; 2 << 20];
    let forms = [command("SUBSCRIBE", &topic), frame(0, &[&b"\x01"[..], &topic].concat())];
    for wire in forms {
        memory::reset_peak();
        let before = memory::live();
        let mut peer = Peer::join(&bench.endpoint, "SUB", Speaks::V3_1);
        peer.send_bytes(&wire);
        peer.send("04 07 04 'PING' 0000");
        assert_eq!(peer.expect_command("PONG"), b"");
        let grown = memory::peak() - before;
        println!("measured: a 2 MiB subscription: {} KiB at the peak", grown / 1024);
        assert!(grown < 16 * MIB, "{grown} bytes");
        bench.expect_good_service();
        peer.send_bytes(&[command("CANCEL", &topic), bytes("04 07 04 'PING' 0000")].concat());
        assert_eq!(peer.expect_command("PONG"), b"");
        peer.cut();
        bench.wait_for_connections(0);
    }
}

#[test]
fn a_flood_of_subscriptions_ends_at_the_budget_and_is_forgotten() {
    if !alone("hostile::a_flood_of_subscriptions_ends_at_the_budget_and_is_forgotten") {
        return;
    }
    let bench = bound_with::<Pub>(&[(number::MAX_SUBSCRIPTIONS, 300_000)]);
    bench.expect_good_service();
    bench.wait_for_loss("the peer closed");
    let before = memory::live();
    memory::reset_peak();
    let mut peer = Peer::join(&bench.endpoint, "SUB", Speaks::V3_1);
    for block in 0..400u32 {
        let mut wire = Vec::new();
        for n in 0..1000u32 {
            wire.extend(command("SUBSCRIBE", &(block * 1000 + n).to_be_bytes()));
        }
        if !peer.offer(&wire) {
            break;
        }
    }
    bench.wait_for_loss("budget of subscriptions");
    bench.wait_for_connections(0);
    let (grown, left) = (memory::peak() - before, memory::live() - before);
    println!(
        "measured: 300,000 subscriptions: {} MiB, {} KiB left behind",
        grown / MIB,
        left / 1024
    );
    assert!(grown < 100 * MIB, "{grown} bytes");
    assert!(left < 4 * MIB, "{left} bytes left");
    bench.expect_good_service();
}

#[test]
fn topics_end_at_their_bytes_too() {
    let bench = bound_with::<Pub>(&[(number::MAX_TOPIC_BYTES, 1 << 20)]);
    let mut peer = Peer::join(&bench.endpoint, "SUB", Speaks::V3_1);
    for n in 0..20u8 {
        if !peer.offer(&command("SUBSCRIBE", &vec![n; 100_000])) {
            break;
        }
    }
    bench.wait_for_loss("budget of bytes of topics");
    let mut peer = Peer::join(&bench.endpoint, "SUB", Speaks::V3_1);
    peer.send("06 0000000000200000 09 'SUBSCRIBE'");
    peer.expect_closed();
    bench.wait_for_loss("is above the limit");
    bench.expect_good_service();
}

#[test]
fn a_flood_of_pings_from_a_peer_that_reads_no_answer_is_bounded() {
    if !alone("hostile::a_flood_of_pings_from_a_peer_that_reads_no_answer_is_bounded") {
        return;
    }
    let bench = bound::<Dealer>();
    let mut peer = Peer::join(&bench.endpoint, "DEALER", Speaks::V3_1);
    let piece = bytes("04 17 04 'PING' 0000 '0123456789abcdef'").repeat(5_000);
    memory::reset_peak();
    let before = memory::live();
    // 400 MB of PINGs, or until we are closed.
    for _ in 0..3_200 {
        if !peer.offer(&piece) {
            break;
        }
    }
    let grown = memory::peak() - before;
    println!("measured: a flood of PINGs: {} KiB at the peak", grown / 1024);
    assert!(grown < 2 * MIB, "{grown} bytes");
    bench.expect_good_service();
}

#[test]
fn a_peer_that_drips_into_a_long_command_costs_no_copy_of_it_for_each_byte() {
    if !alone("hostile::a_peer_that_drips_into_a_long_command_costs_no_copy_of_it_for_each_byte") {
        return;
    }
    let bench = bound::<Pub>();
    let mut peer = Peer::join(&bench.endpoint, "SUB", Speaks::V3_1);
    let wire = command("SUBSCRIBE", &vec![b't'; 32 << 20]);
    let (most, rest) = wire.split_at(wire.len() - 500);
    peer.send_bytes(most);
    bench.expect_good_service();
    let began = cpu_time();
    for byte in rest {
        peer.send_bytes(&[*byte]);
        std::thread::sleep(Duration::from_millis(2));
    }
    peer.send("04 07 04 'PING' 0000");
    assert_eq!(peer.expect_command("PONG"), b"");
    let took = cpu_time() - began;
    println!("measured: 500 bytes dripped behind 32 MiB: {took:?} of CPU in the process");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_large_message_from_a_1_0_peer_costs_no_copy_for_each_read() {
    if !alone("hostile::a_large_message_from_a_1_0_peer_costs_no_copy_for_each_read") {
        return;
    }
    let bench = bound::<Pull>();
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V1_0);
    let body = vec![5; 100 << 20];
    let began = cpu_time();
    let sender = std::thread::spawn(move || {
        peer.send_bytes(&frame_v1(0, &body));
        peer
    });
    assert_eq!(bench.recv().len(), 100 << 20);
    let took = cpu_time() - began;
    println!("measured: 100 MiB from a 1.0 peer: {took:?} of CPU in the process");
    assert!(took < Duration::from_millis(2500), "{took:?}");
    drop(sender.join().expect("sent"));
}

#[test]
fn a_slow_receiver_holds_a_sender_back_and_does_not_lose_it() {
    let bench = bound_with::<Pull>(&[(number::MAX_HELD_BYTES, 1 << 20)]);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    let sender = std::thread::spawn(move || {
        for n in 0..500u32 {
            peer.send_message(&[&n.to_be_bytes(), &[1; 60_000]]);
        }
        peer
    });
    std::thread::sleep(Duration::from_millis(300));
    for n in 0..500u32 {
        assert_eq!(bench.recv_message()[0], n.to_be_bytes());
    }
    drop(sender.join().expect("sent"));
}

#[test]
fn a_duplicate_routing_id_stays_without_a_name_and_its_end_is_noticed() {
    let bench = bound::<Router>();
    let first = Peer::connect(&bench.endpoint).shake_hands("DEALER", b"same", Speaks::V3_1);
    bench.wait_for(EventKind::HandshakeSucceeded);
    let mut second = Peer::connect(&bench.endpoint).shake_hands("DEALER", b"same", Speaks::V3_1);
    second.send_bytes(&frame(0, b"x").repeat(50_000));
    bench.expect_nothing();
    second.cut();
    bench.wait_for_connections(1);
    bench.expect_nothing();
    drop(first);
    bench.wait_for_connections(0);
    bench.expect_good_service();
}

#[test]
fn a_malformed_identity_is_refused() {
    for identity in [&b"\x00zero"[..], &[b'x'; 256]] {
        let bench = bound::<Router>();
        let mut peer = Peer::connect(&bench.endpoint);
        let data = [property("Socket-Type", b"DEALER"), property("Identity", identity)].concat();
        peer.send_bytes(&[greeting(1), command("READY", &data)].concat());
        peer.expect_closed_eventually();
        bench.wait_for_refusal("an invalid routing id");
        bench.expect_good_service();
    }
}

#[test]
fn malformed_metadata_is_refused() {
    for data in ["0b 'Socket-Typ'", "0b 'Socket-Type' ffffffff 'PUSH'", "00 00000000", "ff 'x'*3"] {
        let bench = bound::<Pull>();
        let mut peer = Peer::connect(&bench.endpoint);
        peer.send_bytes(&[greeting(1), command("READY", &bytes(data))].concat());
        peer.expect_closed_eventually();
        bench.wait_for_refusal("malformed metadata");
        bench.expect_good_service();
    }
}

#[test]
fn a_group_above_255_bytes_is_a_violation() {
    let bench = bound::<Push>();
    let mut peer = Peer::join(&bench.endpoint, "PULL", Speaks::V3_1);
    peer.send_bytes(&command("JOIN", &[b'g'; 256]));
    peer.expect_closed();
    bench.wait_for_loss("a group of more than 255 bytes");
}
