//! Frames cut at awkward places, and commands among them.

use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{Context, Message, Pub, Pull, Push};
use tightbeam_tests::peer::{HANG, Peer, Speaks, bytes, command, frame, message};

use crate::bench::{Bench, bound, bound_with};
use crate::child::alone;
use crate::memory;

const KIB: usize = 1024;
/// Sizes around the size of a read, around what is read into place, and around 1 MiB.
const SIZES: [usize; 14] = [
    32 * KIB - 1,
    32 * KIB,
    32 * KIB + 1,
    64 * KIB,
    128 * KIB - 10,
    128 * KIB - 9,
    128 * KIB - 8,
    128 * KIB - 1,
    128 * KIB,
    128 * KIB + 1,
    256 * KIB,
    1024 * KIB - 1,
    1024 * KIB,
    1024 * KIB + 1,
];

/// A body whose every byte says where it belongs.
fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(31) + i / 251 + seed) as u8).collect()
}

fn pull() -> (Bench<Pull>, Peer) {
    let bench = bound::<Pull>();
    let peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    (bench, peer)
}

#[track_caller]
fn expect(bench: &Bench<Pull>, parts: &[&[u8]]) {
    let came = bench.recv_message();
    assert_eq!(came.len(), parts.len());
    for (came, part) in came.iter().zip(parts) {
        assert_eq!(came.len(), part.len());
        assert!(came == part, "a body of {} bytes was changed", part.len());
    }
}

#[test]
fn a_message_of_more_frames_than_may_be_ends_the_connection() {
    let bench = bound_with::<Pull>(&[(number::MAX_FRAMES, 3)]);
    let mut peer = Peer::join(&bench.endpoint, "PUSH", Speaks::V3_1);
    peer.send_message(&[b"1", b"2", b"3"]);
    expect(&bench, &[b"1", b"2", b"3"]);
    peer.send_message(&[b"1", b"2", b"3", b"4"]);
    peer.expect_closed_eventually();
    bench.wait_for_loss("frames");
    bench.expect_nothing();
    bench.expect_good_service();
}

/// Read into place it needs its own memory; without, it goes through a buffer that is as large.
#[test]
fn with_zero_copy_recv_a_large_body_is_held_once() {
    if !alone("framing::with_zero_copy_recv_a_large_body_is_held_once") {
        return;
    }
    let size = 64 * KIB * KIB;
    let piece = vec![7; KIB * KIB];
    for (zero_copy, least, most) in [(1, 64, 70), (0, 100, 400)] {
        let context = Context::new();
        context.set_option(number::context::ZERO_COPY_RECV, zero_copy).unwrap();
        let pull = context.socket::<Pull>().unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
        let mut peer = Peer::join(&endpoint, "PUSH", Speaks::V3_1);
        memory::reset_peak();
        let before = memory::live();
        peer.send_bytes(&[&[2][..], &(size as u64).to_be_bytes()].concat());
        (0..size / piece.len()).for_each(|_| peer.send_bytes(&piece));
        let message = pull.recv_timeout(HANG).unwrap();
        let body = message.single().unwrap();
        assert!(body.len() == size && body.iter().all(|byte| *byte == 7));
        let peak = (memory::peak() - before) / (KIB * KIB).cast_signed();
        println!("measured: {peak} MiB at the peak for 64 MiB with ZERO_COPY_RECV = {zero_copy}");
        assert!((least..=most).contains(&peak), "{peak} MiB");
    }
}

#[test]
fn bodies_around_every_boundary_arrive_whole_with_small_ones_behind_them() {
    let (bench, mut peer) = pull();
    for size in SIZES {
        let body = pattern(size, size);
        peer.send_bytes(&[message(&[&body]), message(&[b"a"]), message(&[b"b", b"c"])].concat());
        expect(&bench, &[&body]);
        expect(&bench, &[b"a"]);
        expect(&bench, &[b"b", b"c"]);
    }
}

#[test]
fn bodies_around_every_boundary_leave_whole() {
    let bench = bound::<Push>();
    let mut peer = Peer::join(&bench.endpoint, "PULL", Speaks::V3_1);
    for size in SIZES {
        let body = pattern(size, size);
        bench.send(Message::multipart([&b"head"[..], &body, b"tail"]));
        bench.send("small");
        assert!(peer.take_message() == [&b"head"[..], &body, b"tail"], "{size}");
        assert_eq!(peer.take_message(), [b"small"]);
    }
}

#[test]
fn several_large_frames_make_one_message() {
    let (bench, mut peer) = pull();
    let bodies = SIZES.map(|size| pattern(size, 3));
    let mut parts: Vec<&[u8]> = Vec::new();
    for body in &bodies {
        parts.extend([b"between".as_slice(), body, b""]);
    }
    peer.send_bytes(&message(&parts));
    expect(&bench, &parts);
}

#[test]
fn a_large_frame_behind_small_messages_in_one_segment() {
    let (bench, mut peer) = pull();
    for size in SIZES {
        let (mut stream, body) = (Vec::new(), pattern(size, 9));
        for n in 0..50u8 {
            stream.extend(message(&[&[n]]));
        }
        stream.extend(message(&[b"x", &body]));
        peer.send_bytes(&stream);
        (0..50u8).for_each(|n| expect(&bench, &[&[n]]));
        expect(&bench, &[b"x", &body]);
    }
}

#[test]
fn a_header_split_at_each_byte_of_a_large_frame() {
    let (bench, mut peer) = pull();
    let body = pattern(40_000, 1);
    let wire = message(&[b"head", &body, b"tail"]);
    for cut in 0..=20 {
        peer.send_bytes(&wire[..cut]);
        // Each piece is to be read by itself: what was sent before has been dealt with when the
        // PONG comes; a command cannot be put inside a frame, so the pieces are only spaced.
        std::thread::yield_now();
        peer.send_bytes(&wire[cut..cut + 1]);
        std::thread::yield_now();
        peer.send_bytes(&wire[cut + 1..]);
        expect(&bench, &[b"head", &body, b"tail"]);
    }
}

#[test]
fn a_large_body_one_byte_at_a_time() {
    let (bench, mut peer) = pull();
    let body = pattern(70_000, 5);
    peer.drip(&message(&[&body, b"end"]));
    expect(&bench, &[&body, b"end"]);
}

#[test]
fn a_large_body_cut_short_of_where_its_buffer_has_to_grow() {
    // The buffer of a large body grows at 1 MiB: a read must neither stop for ever there, nor put the
    // rest of the body where frames belong.
    let (bench, mut peer) = pull();
    let body = pattern(1024 * KIB + 1, 11);
    let wire = [message(&[&body, b"tail"]), message(&[b"next"])].concat();
    for short in [0, 1, 2, 9, 10, 11, 1000, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1] {
        let at = 1024 * KIB - short;
        peer.send_bytes(&wire[..at]);
        std::thread::sleep(Duration::from_millis(20));
        peer.send_bytes(&wire[at..]);
        expect(&bench, &[&body, b"tail"]);
        expect(&bench, &[b"next"]);
    }
}

#[test]
fn messages_one_byte_at_a_time() {
    let (bench, mut peer) = pull();
    let long = pattern(300, 2);
    let mut wire = Vec::new();
    for n in 0..20u8 {
        wire.extend([message(&[&[n], b"", &long]), command("PING", b"\x00\x00c")].concat());
    }
    peer.drip(&wire);
    for n in 0..20u8 {
        expect(&bench, &[&[n], b"", &long]);
        assert_eq!(peer.expect_command("PONG"), b"c");
    }
}

#[test]
fn a_short_body_in_a_long_frame_is_understood() {
    let (bench, mut peer) = pull();
    peer.send("02 0000000000000003 'abc' 03 0000000000000000 02 0000000000000001 'x'");
    expect(&bench, &[b"abc"]);
    expect(&bench, &[b"", b"x"]);
}

#[test]
fn commands_between_the_frames_of_a_message_are_obeyed_at_once() {
    // RFC 37 allows commands between the messages; peers that send them between frames do no harm.
    let (bench, mut peer) = pull();
    peer.send("01 01 'a' 04 07 04 'PING' 0000 04 0b 07 'UNKNOWN' 'xyz' 00 01 'b'");
    assert_eq!(peer.expect_command("PONG"), b"");
    expect(&bench, &[b"a", b"b"]);
}

#[test]
fn a_command_is_answered_while_messages_wait_unread() {
    let (bench, mut peer) = pull();
    for _ in 0..500 {
        peer.send_message(&[b"waits"]);
    }
    peer.send("04 0b 04 'PING' 0000 'ctxt'");
    assert_eq!(peer.expect_command("PONG"), b"ctxt");
    (0..500).for_each(|_| expect(&bench, &[b"waits"]));
}

#[test]
fn a_pong_never_gets_inside_a_message() {
    let bench = bound::<Push>();
    let mut peer = Peer::connect_narrow(&bench.endpoint, 4096);
    peer = peer.shake_hands("PULL", b"", Speaks::V3_1);
    let body = pattern(2 * KIB * KIB, 7);
    // Far more than the kernel holds: the message is half written when the PINGs come.
    bench.send(Message::multipart([&body[..], b"tail"]));
    (0..20).for_each(|_| peer.send("04 07 04 'PING' 0000"));
    let (mut parts, mut pongs) = (Vec::new(), 0);
    while parts.len() < 2 || pongs < 20 {
        let (flags, body) = peer.take_frame();
        if flags == 4 {
            assert_eq!(body, b"\x04PONG");
            assert!(parts.len() != 1, "a command between the frames of a message");
            pongs += 1;
        } else {
            parts.push(body);
        }
    }
    assert!(parts == [&body[..], b"tail"]);
}

#[test]
fn messages_to_a_push_or_a_pub_are_dropped_and_the_connection_goes_on() {
    let push = bound::<Push>();
    let mut peer = Peer::join(&push.endpoint, "PULL", Speaks::V3_1);
    for size in [1, 300, 40_000, 200_000] {
        peer.send_message(&[b"not", &pattern(size, 1)]);
    }
    push.send("still here");
    assert_eq!(peer.take_message(), [b"still here"]);
    let publisher = bound::<Pub>();
    let mut peer = Peer::join(&publisher.endpoint, "SUB", Speaks::V3_1);
    for size in [1, 300, 40_000, 200_000] {
        peer.send_message(&[b"not", &pattern(size, 1)]);
    }
    peer.send("04 07 04 'PING' 0000");
    assert_eq!(peer.expect_command("PONG"), b"");
    publisher.expect_good_service();
}

#[test]
fn a_push_reads_on_behind_more_messages_than_the_high_water_mark() {
    let push = bound::<Push>();
    let mut peer = Peer::join(&push.endpoint, "PULL", Speaks::V3_1);
    peer.send_bytes(&frame(0, b"x").repeat(50_000));
    peer.send("04 07 04 'PING' 0000");
    assert_eq!(peer.expect_command("PONG"), b"");
    peer.cut();
    push.wait_for_loss("the peer closed");
    assert!(push.socket.stats().expect("stats").peers.is_empty());
}

#[test]
fn unknown_commands_are_ignored_and_malformed_ones_are_not() {
    let (bench, mut peer) = pull();
    peer.send("04 06 05 'OTHER' 04 04 01 'X' 00 00 00 02 'ok'");
    expect(&bench, &[b"ok"]);
    for malformed in ["04 00", "04 01 00", "04 02 05 'a'", "05 02 01 'X'", "04 03 02 'a' 00"] {
        let (bench, mut peer) = pull();
        peer.send_bytes(&bytes(malformed));
        peer.expect_closed();
        bench.wait_for_loss("broke the protocol");
    }
}
