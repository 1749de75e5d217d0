//! What the transports are told.

use std::time::Duration;

use super::build::*;

pub(super) const ROWS: &[OptionSpec] = &[
    int("SNDBUF", SNDBUF, -1, MAX, BUFFER, -1)
        .kept(|o| or(o.sndbuf.map(int_of), -1), |o, v| o.sndbuf = size_unless(v, -1)),
    int("RCVBUF", RCVBUF, -1, MAX, BUFFER, -1)
        .kept(|o| or(o.rcvbuf.map(int_of), -1), |o, v| o.rcvbuf = size_unless(v, -1)),
    int("BACKLOG", BACKLOG, 0, MAX, "int: connections, 0 or more", 100)
        .kept(|o| o.backlog.into(), |o, v| o.backlog = i32::try_from(v).unwrap_or(MAX)),
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
    boolean("IPV6", number::IPV6).kept(|o| o.ipv6.into(), |o, v| o.ipv6 = v != 0),
    int("TCP_MAXRT", TCP_MAXRT, 0, MAX, MILLIS, 0)
        .kept(|o| or(o.tcp_maxrt.map(ms_of), 0), |o, v| o.tcp_maxrt = ms_unless(v, 0)),
];
