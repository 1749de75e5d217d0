//! The table of socket options, in the order of their numbers.

use std::time::Duration;

use zmtp::SocketType::{self, Dealer, Pub, Req, Router, Sub, XPub};

use super::number::*;
use super::spec::{Access, Effect, Kind, OptionSpec, Slot, Value};
use super::{Options, number};

const MAX: i32 = i32::MAX;
const ANY: &[SocketType] = &SocketType::ALL;
const PUBLISHERS: &[SocketType] = &[Pub, XPub];

const MESSAGES: &str = "int: messages, 0 or more (0: no limit)";
const WAIT: &str = "int: milliseconds, 0 or more, or -1 to wait forever";
const MILLIS: &str = "int: milliseconds, 0 or more";
const BUFFER: &str = "int: bytes, 0 or more, or -1 for the system's default";
const BOOL: &str = "int: 0 or 1";
const FLAG: &str = "int: 0 or more";
const SECONDS: &str = "int: seconds, 0 or more, or -1 for the system's default";
const TOPIC: &str = "bytes of any number";
const READ_ONLY: &str = "a get: this option is read-only";

/// Every socket option that there is.
pub static TABLE: &[OptionSpec] = &[
    bytes("ROUTING_ID", ROUTING_ID, 1, 255, "1 to 255 bytes")
        .stored(|o| o.routing_id.clone(), |o, v| o.routing_id = v.to_vec()),
    bytes("SUBSCRIBE", SUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub]),
    bytes("UNSUBSCRIBE", UNSUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub]),
    int("SNDBUF", SNDBUF, -1, MAX, BUFFER, -1)
        .kept(|o| or(o.sndbuf.map(int_of), -1), |o, v| o.sndbuf = size_unless(v, -1)),
    int("RCVBUF", RCVBUF, -1, MAX, BUFFER, -1)
        .kept(|o| or(o.rcvbuf.map(int_of), -1), |o, v| o.rcvbuf = size_unless(v, -1)),
    answer("RCVMORE", RCVMORE),
    answer("EVENTS", EVENTS),
    answer("TYPE", TYPE),
    int("LINGER", LINGER, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.linger.map(ms_of), -1), |o, v| o.linger = ms_unless(v, -1)),
    int("RECONNECT_IVL", RECONNECT_IVL, -1, MAX, "int: milliseconds, 0 or more, or -1 for never", 100)
        .kept(|o| or(o.reconnect_ivl.map(ms_of), -1), |o, v| o.reconnect_ivl = ms_unless(v, -1)),
    int("BACKLOG", BACKLOG, 0, MAX, "int: connections, 0 or more", 100)
        .kept(|o| o.backlog.into(), |o, v| o.backlog = i32::try_from(v).unwrap_or(MAX)),
    int("RECONNECT_IVL_MAX", RECONNECT_IVL_MAX, 0, MAX, MILLIS, 0).kept(
        |o| or(o.reconnect_ivl_max.map(ms_of), 0),
        |o, v| o.reconnect_ivl_max = ms_unless(v, 0),
    ),
    int64("MAXMSGSIZE", MAXMSGSIZE, i64::MIN, "64-bit int: bytes, negative for no limit", -1)
        .kept(|o| o.maxmsgsize, |o, v| o.maxmsgsize = v),
    int("SNDHWM", SNDHWM, 0, MAX, MESSAGES, 1000)
        .live()
        .kept(|o| or(o.sndhwm.map(int_of), 0), |o, v| o.sndhwm = size_unless(v, 0)),
    int("RCVHWM", RCVHWM, 0, MAX, MESSAGES, 1000)
        .live()
        .kept(|o| or(o.rcvhwm.map(int_of), 0), |o, v| o.rcvhwm = size_unless(v, 0)),
    int("RCVTIMEO", RCVTIMEO, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.rcvtimeo.map(ms_of), -1), |o, v| o.rcvtimeo = ms_unless(v, -1)),
    int("SNDTIMEO", SNDTIMEO, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.sndtimeo.map(ms_of), -1), |o, v| o.sndtimeo = ms_unless(v, -1)),
    OptionSpec {
        kind: Kind::Bytes { min: 0, max: usize::MAX },
        default: Some(Value::Bytes(b"")),
        ..answer("LAST_ENDPOINT", LAST_ENDPOINT)
    },
    flag("ROUTER_MANDATORY", ROUTER_MANDATORY)
        .of(&[Router])
        .kept(|o| o.router_mandatory.into(), |o, v| o.router_mandatory = v != 0),
    int("TCP_KEEPALIVE", TCP_KEEPALIVE, -1, 1, "int: 0, 1, or -1 for the system's default", -1)
        .kept(|o| or(o.tcp_keepalive.map(i64::from), -1), |o, v| o.tcp_keepalive = bool_unless(v)),
    int("TCP_KEEPALIVE_CNT", TCP_KEEPALIVE_CNT, -1, MAX, "int: probes, 0 or more, or -1", -1).kept(
        |o| or(o.tcp_keepalive_cnt.map(i64::from), -1),
        |o, v| o.tcp_keepalive_cnt = u32::try_from(v).ok(),
    ),
    int("TCP_KEEPALIVE_IDLE", TCP_KEEPALIVE_IDLE, -1, MAX, SECONDS, -1).kept(
        |o| or(o.tcp_keepalive_idle.map(secs_of), -1),
        |o, v| o.tcp_keepalive_idle = u64::try_from(v).ok().map(Duration::from_secs),
    ),
    int("TCP_KEEPALIVE_INTVL", TCP_KEEPALIVE_INTVL, -1, MAX, SECONDS, -1).kept(
        |o| or(o.tcp_keepalive_intvl.map(secs_of), -1),
        |o, v| o.tcp_keepalive_intvl = u64::try_from(v).ok().map(Duration::from_secs),
    ),
    boolean("IMMEDIATE", IMMEDIATE).kept(|o| o.immediate.into(), |o, v| o.immediate = v != 0),
    boolean("IPV6", number::IPV6).kept(|o| o.ipv6.into(), |o, v| o.ipv6 = v != 0),
    flag("PROBE_ROUTER", PROBE_ROUTER)
        .of(&[Router, Dealer, Req])
        .kept(|o| o.probe_router.into(), |o, v| o.probe_router = v != 0),
    flag("REQ_CORRELATE", REQ_CORRELATE)
        .of(&[Req])
        .kept(|o| o.req_correlate.into(), |o, v| o.req_correlate = v != 0),
    flag("REQ_RELAXED", REQ_RELAXED)
        .of(&[Req])
        .kept(|o| o.req_relaxed.into(), |o, v| o.req_relaxed = v != 0),
    flag("ROUTER_HANDOVER", ROUTER_HANDOVER)
        .of(&[Router])
        .kept(|o| o.router_handover.into(), |o, v| o.router_handover = v != 0),
    int("HANDSHAKE_IVL", HANDSHAKE_IVL, 0, MAX, MILLIS, 30_000)
        .kept(|o| or(o.handshake_ivl.map(ms_of), 0), |o, v| o.handshake_ivl = ms_unless(v, 0)),
    flag("XPUB_NODROP", XPUB_NODROP)
        .of(PUBLISHERS)
        .kept(|o| o.xpub_nodrop.into(), |o, v| o.xpub_nodrop = v != 0),
    int("HEARTBEAT_IVL", HEARTBEAT_IVL, 0, MAX, MILLIS, 0)
        .kept(|o| or(o.heartbeat_ivl.map(ms_of), 0), |o, v| o.heartbeat_ivl = ms_unless(v, 0)),
    // The wire has 16 bits of tenths of a second.
    int("HEARTBEAT_TTL", HEARTBEAT_TTL, 0, 6_553_599, "int: milliseconds, 0 to 6553599", 0).kept(
        |o| i64::from(o.heartbeat_ttl_ds) * 100,
        |o, v| o.heartbeat_ttl_ds = u16::try_from(v / 100).unwrap_or(u16::MAX),
    ),
    // -1 is what a get answers until it is set, and cannot be set.
    int("HEARTBEAT_TIMEOUT", HEARTBEAT_TIMEOUT, 0, MAX, MILLIS, -1).kept(
        |o| or(o.heartbeat_timeout.map(ms_of), -1),
        |o, v| o.heartbeat_timeout = ms_unless(v, -1),
    ),
    int("CONNECT_TIMEOUT", CONNECT_TIMEOUT, 0, MAX, MILLIS, 0)
        .kept(|o| or(o.connect_timeout.map(ms_of), 0), |o, v| o.connect_timeout = ms_unless(v, 0)),
    int("TCP_MAXRT", TCP_MAXRT, 0, MAX, MILLIS, 0)
        .kept(|o| or(o.tcp_maxrt.map(ms_of), 0), |o, v| o.tcp_maxrt = ms_unless(v, 0)),
    bytes(
        "METADATA",
        METADATA,
        5,
        super::METADATA_MAX,
        "X-name:value, a name of letters, digits and -_.+, at most 255 bytes; 32 KiB of metadata in all",
    )
    .appended(Options::add_metadata),
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
];

const fn row(name: &'static str, number: i32, kind: Kind, expected: &'static str) -> OptionSpec {
    OptionSpec {
        name,
        number,
        kind,
        expected,
        default: None,
        access: Access::Both,
        effect: Effect::NextEndpoint,
        sockets: ANY,
        slot: Slot::Socket,
    }
}

const fn int(
    name: &'static str,
    number: i32,
    min: i32,
    max: i32,
    expected: &'static str,
    default: i32,
) -> OptionSpec {
    let row = row(name, number, Kind::Int { min, max }, expected);
    OptionSpec { default: Some(Value::Int(default)), ..row }
}

const fn int64(
    name: &'static str,
    number: i32,
    min: i64,
    expected: &'static str,
    default: i64,
) -> OptionSpec {
    let row = row(name, number, Kind::Int64 { min, max: i64::MAX }, expected);
    OptionSpec { default: Some(Value::Int64(default)), ..row }
}

const fn boolean(name: &'static str, number: i32) -> OptionSpec {
    OptionSpec { default: Some(Value::Int(0)), ..row(name, number, Kind::Bool, BOOL) }
}

/// What libzmq lets set to any number from 0, and never lets read.
const fn flag(name: &'static str, number: i32) -> OptionSpec {
    let row = row(name, number, Kind::Flag, FLAG).set_only().live();
    OptionSpec { default: Some(Value::Int(0)), ..row }
}

const fn bytes(
    name: &'static str,
    number: i32,
    min: usize,
    max: usize,
    expected: &'static str,
) -> OptionSpec {
    row(name, number, Kind::Bytes { min, max }, expected)
}

/// What the socket answers and nobody sets.
const fn answer(name: &'static str, number: i32) -> OptionSpec {
    let row = row(name, number, Kind::Int { min: i32::MIN, max: MAX }, READ_ONLY).live();
    OptionSpec { access: Access::Get, ..row }
}

impl OptionSpec {
    const fn live(self) -> OptionSpec {
        OptionSpec { effect: Effect::Live, ..self }
    }

    const fn set_only(self) -> OptionSpec {
        OptionSpec { access: Access::Set, ..self }
    }

    const fn of(self, sockets: &'static [SocketType]) -> OptionSpec {
        OptionSpec { sockets, ..self }
    }

    const fn kept(self, read: fn(&Options) -> i64, write: fn(&mut Options, i64)) -> OptionSpec {
        OptionSpec { slot: Slot::Int { read, write }, ..self }
    }

    const fn stored(
        self,
        read: fn(&Options) -> Vec<u8>,
        write: fn(&mut Options, &[u8]),
    ) -> OptionSpec {
        let default = Some(Value::Bytes(b""));
        OptionSpec { slot: Slot::Bytes { read, write }, default, ..self }
    }

    const fn appended(self, append: fn(&mut Options, &[u8]) -> bool) -> OptionSpec {
        OptionSpec { slot: Slot::Append(append), access: Access::Set, ..self }
    }
}

fn or(value: Option<i64>, none: i64) -> i64 {
    value.unwrap_or(none)
}

fn int_of(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// On a machine of 32 bits a larger number of bytes means all of them.
fn size_of(v: i64) -> usize {
    usize::try_from(v).unwrap_or(usize::MAX)
}

fn size_unless(v: i64, none: i64) -> Option<usize> {
    (v != none).then(|| size_of(v))
}

fn bool_unless(v: i64) -> Option<bool> {
    (v != -1).then_some(v != 0)
}

fn ms_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn ms_unless(v: i64, none: i64) -> Option<Duration> {
    (v != none).then(|| Duration::from_millis(u64::try_from(v).unwrap_or(0)))
}

fn secs_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
