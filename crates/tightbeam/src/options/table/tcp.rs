//! What the transports are told.

use std::time::Duration;

use super::build::*;
use crate::options::filter::AddressFilter;

const FILTER: &str = "text, an address or a range such as 192.0.2.0/24 (of IPv6 if IPV6 is set), or none to clear all";
const IDS: &str = "int: an id, or none to clear all";
const CREDENTIAL: Kind = Kind::Text { min: 0, max: 255, clears: true };

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
    OptionSpec {
        default: Some(Value::Int(1)),
        ..boolean("IPV4ONLY", IPV4ONLY).kept(|o| (!o.ipv6).into(), |o, v| o.ipv6 = v == 0)
    },
    int("TOS", TOS, 0, MAX, "int: 0 or more", 0).kept(|o| o.tos.into(), |o, v| o.tos = clamped(v)),
    int("PRIORITY", PRIORITY, 0, MAX, "int: 0 or more", 0)
        .kept(|o| o.priority.into(), |o, v| o.priority = clamped(v)),
    int("BUSY_POLL", BUSY_POLL, 0, MAX, "int: microseconds, 0 or more", 0)
        .set_only()
        .kept(|o| o.busy_poll.into(), |o, v| o.busy_poll = clamped(v)),
    cleared("TCP_ACCEPT_FILTER", TCP_ACCEPT_FILTER, 255, FILTER).appended(add_filter),
    row("IPC_FILTER_PID", IPC_FILTER_PID, Kind::Ids, IDS)
        .appended(|o, v| add_id(&mut o.ipc_filter_pid, v)),
    row("IPC_FILTER_UID", IPC_FILTER_UID, Kind::Ids, IDS)
        .appended(|o, v| add_id(&mut o.ipc_filter_uid, v)),
    row("IPC_FILTER_GID", IPC_FILTER_GID, Kind::Ids, IDS)
        .appended(|o, v| add_id(&mut o.ipc_filter_gid, v)),
    cleared("SOCKS_PROXY", SOCKS_PROXY, usize::MAX, "text, host:port, or none to clear it")
        .stored(|o| o.socks_proxy.clone(), |o, v| o.socks_proxy = v.to_vec()),
    row("SOCKS_USERNAME", SOCKS_USERNAME, CREDENTIAL, "text of up to 255 bytes")
        .stored(|o| o.socks_username.clone(), |o, v| o.socks_username = v.to_vec()),
    row("SOCKS_PASSWORD", SOCKS_PASSWORD, CREDENTIAL, "text of up to 255 bytes")
        .stored(|o| o.socks_password.clone(), |o, v| o.socks_password = v.to_vec()),
    int("USE_FD", USE_FD, -1, MAX, "int: a descriptor, or -1 for none", -1)
        .kept(|o| or(o.use_fd.map(i64::from), -1), |o, v| o.use_fd = fd_unless(v)),
    cleared("BINDTODEVICE", BINDTODEVICE, 16, "text of 1 to 16 bytes, or none to clear it")
        .stored(|o| o.bindtodevice.clone(), |o, v| o.bindtodevice = v.to_vec()),
];

/// Adds a range of addresses, or forgets all of them when none is given. One of IPv6 needs IPV6, as in libzmq.
fn add_filter(options: &mut Options, value: Value<'_>) -> bool {
    let Value::Bytes(text) = value else { return false };
    let filter = AddressFilter::parse(text).filter(|filter| options.ipv6 || filter.is_ipv4());
    options.tcp_accept_filters.extend(filter);
    if text.is_empty() {
        options.tcp_accept_filters.clear();
    }
    text.is_empty() || filter.is_some()
}

/// Adds an id, or forgets all of them when none is given.
fn add_id(ids: &mut Vec<i32>, value: Value<'_>) -> bool {
    match value {
        Value::Int(id) => ids.push(id),
        _ => ids.clear(),
    }
    true
}

fn fd_unless(v: i64) -> Option<i32> {
    (v != -1).then(|| clamped(v))
}
