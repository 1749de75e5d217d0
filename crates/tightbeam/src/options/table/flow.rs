//! How much a socket holds and takes.

use super::build::*;

pub(super) const ROWS: &[OptionSpec] = &[
    int64("MAXMSGSIZE", MAXMSGSIZE, i64::MIN, "64-bit int: bytes, negative for no limit", -1)
        .kept(|o| o.maxmsgsize, |o, v| o.maxmsgsize = v),
    int("SNDHWM", SNDHWM, 0, MAX, MESSAGES, 1000)
        .live()
        .kept(|o| or(o.sndhwm.map(int_of), 0), |o, v| o.sndhwm = size_unless(v, 0)),
    int("RCVHWM", RCVHWM, 0, MAX, MESSAGES, 1000)
        .live()
        .kept(|o| or(o.rcvhwm.map(int_of), 0), |o, v| o.rcvhwm = size_unless(v, 0)),
    boolean("CONFLATE", CONFLATE).kept(|o| o.conflate.into(), |o, v| o.conflate = v != 0),
    boolean("IMMEDIATE", IMMEDIATE).kept(|o| o.immediate.into(), |o, v| o.immediate = v != 0),
    int("MAX_FRAMES", MAX_FRAMES, 1, MAX, "int: frames, 1 or more", 65_536)
        .kept(|o| int_of(o.max_frames), |o, v| o.max_frames = size_of(v)),
    int64("MAX_HELD_BYTES", MAX_HELD_BYTES, 1, "64-bit int: bytes, 1 or more", 1 << 30)
        .kept(|o| int_of(o.max_held_bytes), |o, v| o.max_held_bytes = size_of(v)),
    int("MAX_SUBSCRIPTIONS", MAX_SUBSCRIPTIONS, 1, MAX, "int: topics, 1 or more", 1_000_000)
        .of(PUBLISHERS)
        .kept(|o| int_of(o.max_subscriptions), |o, v| o.max_subscriptions = size_of(v)),
    int64("MAX_TOPIC_BYTES", MAX_TOPIC_BYTES, 1, "64-bit int: bytes, 1 or more", 64 << 20)
        .of(PUBLISHERS)
        .kept(|o| int_of(o.max_topic_bytes), |o, v| o.max_topic_bytes = size_of(v)),
    int("MAX_HANDSHAKES", MAX_HANDSHAKES, 1, MAX, "int: connections, 1 or more", 1024)
        .kept(|o| int_of(o.max_handshakes), |o, v| o.max_handshakes = size_of(v)),
    int64("MAX_SOCKET_BYTES", MAX_SOCKET_BYTES, 0, "64-bit int: bytes, 0 for no limit", 0)
        .live()
        .kept(
            |o| or(o.bounds.max_socket_bytes.map(int_of), 0),
            |o, v| o.bounds.max_socket_bytes = size_unless(v, 0),
        ),
    int("MAX_COMMAND_BYTES", MAX_COMMAND_BYTES, 512, MAX, "int: bytes, 512 or more", 65_536).kept(
        |o| int_of(o.bounds.max_command_bytes),
        |o, v| o.bounds.max_command_bytes = size_of(v),
    ),
    int("MAX_PROPERTIES", MAX_PROPERTIES, 2, MAX, "int: properties, 2 or more", 256)
        .kept(|o| int_of(o.bounds.max_properties), |o, v| o.bounds.max_properties = size_of(v)),
    int("MAX_PING_CONTEXT", MAX_PING_CONTEXT, 0, MAX, "int: bytes, 0 or more", 16)
        .kept(|o| int_of(o.bounds.max_ping_context), |o, v| o.bounds.max_ping_context = size_of(v)),
];
