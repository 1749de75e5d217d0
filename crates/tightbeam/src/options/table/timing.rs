//! How long things take.

use super::build::*;

pub(super) const ROWS: &[OptionSpec] = &[
    int("LINGER", LINGER, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.linger.map(ms_of), -1), |o, v| o.linger = ms_unless(v, -1)),
    int(
        "RECONNECT_IVL",
        RECONNECT_IVL,
        -1,
        MAX,
        "int: milliseconds, 0 or more, or -1 for never",
        100,
    )
    .kept(|o| or(o.reconnect_ivl.map(ms_of), -1), |o, v| o.reconnect_ivl = ms_unless(v, -1)),
    int("RECONNECT_IVL_MAX", RECONNECT_IVL_MAX, 0, MAX, MILLIS, 0).kept(
        |o| or(o.reconnect_ivl_max.map(ms_of), 0),
        |o, v| o.reconnect_ivl_max = ms_unless(v, 0),
    ),
    int("RCVTIMEO", RCVTIMEO, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.rcvtimeo.map(ms_of), -1), |o, v| o.rcvtimeo = ms_unless(v, -1)),
    int("SNDTIMEO", SNDTIMEO, -1, MAX, WAIT, -1)
        .live()
        .kept(|o| or(o.sndtimeo.map(ms_of), -1), |o, v| o.sndtimeo = ms_unless(v, -1)),
    int("HANDSHAKE_IVL", HANDSHAKE_IVL, 0, MAX, MILLIS, 30_000)
        .kept(|o| or(o.handshake_ivl.map(ms_of), 0), |o, v| o.handshake_ivl = ms_unless(v, 0)),
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
    int("RECONNECT_STOP", RECONNECT_STOP, i32::MIN, MAX, "int: bits, 1, 2 and 4", 0)
        .kept(|o| o.reconnect_stop.into(), |o, v| o.reconnect_stop = clamped(v)),
];
