//! What frames, peers, messages and growing bodies promise, one by one. Who frees what is in
//! `ownership_tests`.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::frame::INLINE;
use super::{BadGroup, BodyBuf, Frame, Message, OutOfMemory, Peer, PeerInfo};
use zmtp::SocketType;

const MIB: usize = 1 << 20;

#[test]
fn frames_cross_threads_and_panics() {
    fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe + Unpin + 'static>() {}
    check::<Frame>();
    check::<Message>();
    check::<BodyBuf>();
}

#[test]
fn sizes_are_what_c_expects() {
    assert_eq!((size_of::<Frame>(), align_of::<Frame>()), (64, 8));
    assert_eq!(size_of::<Option<Frame>>(), 64);
    assert_eq!(size_of::<Message>(), 64);
}

#[test]
fn a_frame_moves_by_copying_its_bytes() {
    for len in [0, 1, INLINE, INLINE + 1, 10_000] {
        let body = vec![9; len];
        let mut memory = [0_u64; 8];
        let mut frame = Frame::copy_from(&body);
        frame.set_group("group").unwrap();
        // SAFETY: the bytes are moved to memory of the same size and alignment, and back, and only
        // the last copy is used as a frame.
        let frame = unsafe {
            memory.as_mut_ptr().cast::<Frame>().write(frame);
            let elsewhere = memory;
            elsewhere.as_ptr().cast::<Frame>().read()
        };
        assert_eq!(frame, body);
        assert_eq!(frame.group(), b"group");
    }
}

#[test]
fn every_length_round_trips() {
    static CONSTANT: [u8; 200] = {
        let mut bytes = [0; 200];
        let mut i = 0;
        while i < bytes.len() {
            bytes[i] = i as u8;
            i += 1;
        }
        bytes
    };
    for len in 0..200 {
        let body: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let from: [Frame; 6] = [
            Frame::copy_from(&body),
            Frame::from(body.clone()),
            Frame::from(Bytes::from(body.clone())),
            Frame::from_owner(body.clone()),
            Frame::from_static(&CONSTANT[..len]),
            Frame::try_zeroed(len).map(|f| fill(f, &body)).unwrap(),
        ];
        for frame in from {
            assert_eq!((frame.len(), frame.is_empty()), (len, len == 0));
            assert_eq!(frame, body);
            assert_eq!(frame.clone(), body);
            assert_eq!(frame.clone().into_bytes(), body);
            assert_eq!(frame.clone().into_vec(), body);
            assert_eq!(frame.into_vec(), body);
        }
    }
}

fn fill(mut frame: Frame, body: &[u8]) -> Frame {
    assert!(frame.iter().all(|&byte| byte == 0));
    frame.make_mut().copy_from_slice(body);
    frame
}

#[test]
fn small_bodies_lie_inside_and_large_ones_are_taken() {
    const { assert!(INLINE >= 33) };
    assert!(Frame::from(vec![1; INLINE]).is_inline());
    let vec = vec![1; INLINE + 1];
    let at = vec.as_ptr();
    let frame = Frame::from(vec);
    assert!(!frame.is_inline() && !frame.is_shared());
    assert_eq!(frame.as_ptr(), at);
    let vec = frame.slice(..).into_vec();
    assert_ne!(vec.as_ptr(), at, "it is still shared with the frame");
    let vec = frame.into_vec();
    assert_eq!(vec.as_ptr(), at);
}

#[test]
fn taking_a_vector_back_gives_only_the_part() {
    let slice = |range: std::ops::Range<usize>| {
        let frame = Frame::from((0..100).collect::<Vec<u8>>());
        frame.slice(range)
    };
    assert_eq!(slice(0..50).into_vec(), (0..50).collect::<Vec<u8>>());
    assert_eq!(slice(1..50).into_vec(), (1..50).collect::<Vec<u8>>());
}

#[test]
fn heap_bodies_are_aligned_for_numbers() {
    assert_eq!(Frame::copy_from(&[0; 100]).as_ptr().align_offset(16), 0);
}

#[test]
fn bytes_go_in_and_out_without_copies() {
    let bytes = Bytes::from(vec![1; 100]);
    let at = bytes.as_ptr();
    let frame = Frame::from(bytes);
    assert_eq!(frame.as_ptr(), at);
    assert_eq!(frame.slice(10..).into_bytes().as_ptr(), at.wrapping_add(10));

    let frame = Frame::copy_from(&[2; 100]);
    let at = frame.as_ptr();
    let bytes = frame.into_bytes();
    assert_eq!(bytes.as_ptr(), at);
    assert_eq!(Frame::from(bytes).as_ptr(), at);

    let bytes = Frame::from_static(&[3; 100]).into_bytes();
    assert_eq!(bytes, [3; 100][..]);
}

#[test]
fn absurd_sizes_are_refused() {
    for len in
        [usize::MAX, isize::MAX as usize, isize::MAX as usize - 100, isize::MAX as usize / 2 + 1]
    {
        assert_eq!(Frame::try_zeroed(len).unwrap_err(), OutOfMemory);
    }
    for total in [u64::MAX, i64::MAX as u64, i64::MAX as u64 - 16] {
        assert_eq!(BodyBuf::with_len(total).unwrap_err(), OutOfMemory);
    }
}

#[test]
fn clones_keep_everything_and_slices_only_bytes() {
    let peer = Arc::new(Peer::new(PeerInfo::default()));
    for body in [vec![1; 10], vec![1; 100]] {
        let mut frame = Frame::from(body);
        frame.set_peer(Some(peer.clone()));
        frame.set_routing_id(7);
        frame.set_group(b"g").unwrap();
        frame.set_more(true);
        let clone = frame.clone();
        assert!(clone.more() && clone.peer().is_some());
        assert_eq!((clone.routing_id(), clone.group(), clone.group_c_str()), (7, &b"g"[..], c"g"));
        let slice = frame.slice(..);
        assert!(!slice.more() && slice.peer().is_none());
        assert_eq!((slice.routing_id(), slice.group(), slice.group_c_str()), (0, &b""[..], c""));
        // Writing to one keeps the rest, too.
        frame.make_mut()[0] = 2;
        assert!(frame.more() && frame.peer().is_some() && frame.group() == b"g");
        assert_eq!((frame[0], clone[0]), (2, 1));
    }
    assert_eq!(Arc::strong_count(&peer), 1);
}

#[test]
fn groups_are_limited() {
    let mut frame = Frame::new();
    frame.set_group([b'a'; 255]).unwrap();
    assert_eq!(frame.set_group([b'a'; 256]), Err(BadGroup));
    assert_eq!(frame.set_group(b"a\0b"), Err(BadGroup));
    assert_eq!(frame.group(), [b'a'; 255], "a refused group changes nothing");
    frame.set_group("").unwrap();
    assert!(frame.group().is_empty());
}

#[test]
#[should_panic(expected = "out of range")]
fn slices_lie_within_the_body() {
    let _ = Frame::from("hello").slice(3..7);
}

#[test]
fn frames_compare_and_hash_by_their_bytes() {
    let mut a = Frame::copy_from(b"abc");
    a.set_more(true);
    assert_eq!(a, Frame::from_static(b"abc"));
    assert_ne!(a, Frame::from("abd"));
    assert_eq!(a, *b"abc");
    assert_eq!(a, b"abc");
    assert_eq!(a, b"abc"[..]);
    assert_eq!("abc", a);
    assert_eq!(a, String::from("abc"));
    let set = std::collections::HashSet::from([a]);
    assert!(set.contains(&b"abc"[..]));
}

#[test]
fn debug_is_short() {
    assert_eq!(format!("{:?}", Frame::from("a\"\0\n")), r#"Frame("a\"\x00\n")"#);
    let mut long = Frame::try_zeroed(MIB).unwrap();
    long.set_more(true);
    let shown = format!("{long:?}");
    assert!(shown.len() < 300 && shown.ends_with(r#"".. 1048576 bytes, more)"#), "{shown}");
    assert_eq!(format!("{:?}", Message::from(["a", "b"])), r#"Message[Frame("a"), Frame("b")]"#);
}

#[test]
fn texts() {
    assert_eq!(Frame::from("ä").to_str(), Ok("ä"));
    assert!(Frame::from([0xff]).to_str().is_err());
    assert_eq!(Frame::from([0xff]).to_string_lossy(), "\u{fffd}");
    assert_eq!(Message::from(["a", "b"]).to_string_lossy(), "a b");
}

#[test]
fn c_sees_live_and_dead_frames() {
    let mut memory = [0_u64; 8];
    let frame = memory.as_mut_ptr().cast::<Frame>();
    // SAFETY: the memory is a frame's in size and alignment, and holds one where it must.
    unsafe {
        assert!(!Frame::is_live(frame));
        frame.write(Frame::from(vec![1; 100]));
        assert!(Frame::is_live(frame));
        Frame::bury(frame);
        assert!(!Frame::is_live(frame));
    }
}

#[test]
fn c_writes_to_what_it_shares_but_not_to_constants_of_rust() {
    let mut frame = Frame::copy_from(&[1; 100]);
    let clone = frame.clone();
    // SAFETY: no reference to the bytes is alive.
    unsafe { frame.as_mut_ptr().unwrap().write(2) };
    assert_eq!((frame[0], clone[0]), (2, 2));

    let bytes = Bytes::from_static(&[1; 100]);
    let mut frame = Frame::from(bytes.clone());
    let at = frame.as_mut_ptr().unwrap();
    // SAFETY: as above.
    unsafe { at.write(2) };
    assert_eq!((frame[0], bytes[0]), (2, 1));
    assert_eq!(frame.as_mut_ptr().unwrap(), at, "copied once");
}

#[test]
fn a_peer_answers_by_name() {
    let peer = Peer::new(PeerInfo {
        address: "127.0.0.1".into(),
        socket_type: Some(SocketType::Dealer),
        routing_id: b"me\0you".to_vec(),
        properties: vec![
            ("identity".into(), b"other".to_vec()),
            ("user-id".into(), b"root".to_vec()),
            ("User-Id\0".into(), b"root".to_vec()),
            ("X-Color".into(), b"red".to_vec()),
            ("X-Raw".into(), vec![0xff, 0, 1]),
        ],
        authenticated: vec![("Realm".into(), b"home".to_vec())],
        descriptor: Some(5),
    });
    assert_eq!(peer.get("socket-TYPE"), Some("DEALER"));
    assert_eq!(peer.get("Peer-Address"), Some("127.0.0.1"));
    assert_eq!(peer.get("Routing-Id"), Some("me"), "what C would see");
    assert_eq!(peer.get("Identity"), Some("me"), "the old name, not the peer's property");
    assert_eq!(peer.get("x-color"), Some("red"));
    assert_eq!(peer.get("realm"), Some("home"));
    assert_eq!(peer.get("X-Raw"), None, "not text");
    assert_eq!(peer.get_c_str("X-Raw").unwrap().to_bytes(), [0xff]);
    assert_eq!(peer.get("User-Id"), None, "a peer does not say who it is");
    assert_eq!(peer.get("Nothing"), None);
    assert_eq!(peer.routing_id(), b"me\0you");
    assert_eq!((peer.descriptor(), peer.properties().len()), (Some(5), 5));
    assert_eq!((peer.address(), peer.socket_type()), ("127.0.0.1", Some(SocketType::Dealer)));

    let peer = Peer::new(PeerInfo {
        properties: vec![("User-Id".into(), b"root".to_vec())],
        authenticated: vec![("User-Id".into(), b"jane".to_vec())],
        ..PeerInfo::default()
    });
    assert_eq!(peer.get("User-Id"), Some("jane"));
    assert_eq!((peer.get("Peer-Address"), peer.get("Socket-Type")), (None, None));
}

#[test]
fn messages_from_everything() {
    let single: [Message; 9] = [
        Message::from("body"),
        Message::from(String::from("body")),
        Message::from(b"body"),
        Message::from(*b"body"),
        Message::from(&b"body"[..]),
        Message::from(b"body".to_vec()),
        Message::from(Bytes::from_static(b"body")),
        Message::from(Frame::from("body")),
        Message::from(["body"]),
    ];
    for message in single {
        assert_eq!(message, "body");
        assert_eq!(message, b"body");
        assert_eq!(message, ["body"]);
        assert_eq!(message.single().unwrap(), "body");
        assert_eq!(message.into_single().unwrap(), "body");
    }
    let double: [Message; 5] = [
        Message::from(["a", "b"]),
        Message::from(vec!["a", "b"]),
        Message::from([Frame::from("a"), Frame::from("b")]),
        Message::from(vec![Frame::from("a"), Frame::from("b")]),
        ["a", "b"].into_iter().collect(),
    ];
    for message in double {
        assert_eq!(message, ["a", "b"]);
        assert_eq!((message.len(), &message[1]), (2, &Frame::from("b")));
        assert_eq!(message.clone().into_single().unwrap_err(), message);
        assert_eq!((&message).into_iter().count(), 2);
        assert_eq!(message.into_iter().collect::<Vec<_>>(), [Frame::from("a"), Frame::from("b")]);
    }
    assert!(Message::from(Vec::<Frame>::new()).is_empty());
}

#[test]
fn taking_a_huge_message_apart_is_not_quadratic() {
    let mut message: Message = (0..1_000_000).map(|_| Frame::new()).collect();
    let mut count = 0;
    while message.pop_front().is_some() {
        count += 1;
    }
    assert_eq!(count, 1_000_000);
}

proptest! {
    /// A message is a queue, whatever is done to it.
    #[test]
    fn a_message_is_a_queue(ops in prop::collection::vec(0..5_u8, 0..200)) {
        let mut model = std::collections::VecDeque::new();
        let mut message = Message::new();
        for (i, op) in ops.into_iter().enumerate() {
            let body = i.to_string();
            match op {
                0 | 1 => { message.push(body.as_str()); model.push_back(body); }
                2 => { message.push_front(body.as_str()); model.push_front(body); }
                3 => {
                    let popped = message.pop_front();
                    prop_assert_eq!(popped.map(|f| f.to_string_lossy().into_owned()), model.pop_front());
                }
                _ => message = Message::from(message.clone().into_frames()),
            }
            prop_assert_eq!(message.frames(), model.make_contiguous());
            prop_assert_eq!(message.frames_mut().len(), model.len());
            prop_assert_eq!(message.single().is_some(), model.len() == 1);
        }
    }
}

proptest! {
    // The bodies are megabytes, so fewer cases than usual (unless valgrind asked for fewer still).
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.min(40),
        ..ProptestConfig::default()
    })]

    /// However a body arrives, it arrives whole, and no more than allowed is allocated ahead.
    #[test]
    fn a_body_arrives_in_any_pieces(
        total in prop_oneof![0..100_usize, 0..3 * MIB, Just(MIB), Just(MIB + 1)],
        pieces in prop::collection::vec((0..3_u8, 0..2 * MIB), 1..20),
    ) {
        let body: Vec<u8> = (0..total).map(|i| (i % 251) as u8).collect();
        let mut buf = BodyBuf::with_len(total as u64).unwrap();
        for (how, size) in pieces.into_iter().cycle().map(|(how, size)| (how, size + 1)) {
            let rest = &body[buf.received()..];
            if rest.is_empty() {
                break;
            }
            let piece = &rest[..size.min(rest.len())];
            match how {
                0 => prop_assert_eq!(buf.extend(piece).unwrap(), piece.len()),
                1 => {
                    let spare = buf.spare().unwrap();
                    prop_assert!((1..=MIB).contains(&spare.len()));
                    let n = piece.len().min(spare.len());
                    spare[..n].copy_from_slice(&piece[..n]);
                    buf.advance(n);
                }
                // Asked for, but nothing came: it may be asked for again.
                _ => { buf.spare().unwrap(); buf.extend(&rest[..1]).unwrap(); }
            }
            prop_assert!(buf.capacity() <= buf.received() + buf.received().max(MIB));
        }
        prop_assert_eq!(buf.remaining(), 0);
        prop_assert!(buf.spare().unwrap().is_empty());
        prop_assert_eq!(buf.extend(b"too much").unwrap(), 0);
        let frame = buf.finish();
        prop_assert!(!frame.is_shared());
        prop_assert_eq!(frame, body);
    }
}

#[test]
fn a_terabyte_announced_costs_a_megabyte() {
    let mut buf = BodyBuf::with_len(1 << 40).unwrap();
    assert!(buf.capacity() <= MIB);
    assert_eq!(buf.extend(&[1; 1000]).unwrap(), 1000);
    assert_eq!(buf.remaining(), (1 << 40) - 1000);
    assert_eq!(format!("{buf:?}"), "BodyBuf(1000 of 1099511627776 bytes)");
    // Cut off: what arrived is there.
    assert_eq!(buf.finish(), [1; 1000]);
}

#[test]
#[should_panic(expected = "more was read")]
fn advancing_too_far_is_noticed() {
    let mut buf = BodyBuf::with_len(10).unwrap();
    let len = buf.spare().unwrap().len();
    buf.advance(len + 1);
}

#[test]
fn a_body_is_read_from_a_descriptor() {
    let (mut writer, reader) = UnixStream::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    let body: Vec<u8> = (0..3 * MIB).map(|i| (i % 251) as u8).collect();
    let mut buf = BodyBuf::with_len(body.len() as u64).unwrap();
    let error = buf.read_from(reader.as_fd()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    reader.set_nonblocking(false).unwrap();
    std::thread::scope(|scope| {
        // One byte more than the body, which must stay in the socket.
        scope.spawn(|| {
            writer.write_all(&body).unwrap();
            writer.write_all(b"!").unwrap();
        });
        while buf.remaining() > 0 {
            assert!(buf.read_from(reader.as_fd()).unwrap() > 0);
        }
    });
    assert_eq!(buf.read_from(reader.as_fd()).unwrap(), 0, "nothing remains");
    assert_eq!(buf.finish(), body);
    let mut last = BodyBuf::with_len(5).unwrap();
    assert_eq!(last.read_from(reader.as_fd()).unwrap(), 1);
    assert_eq!(last.finish(), "!");
}
