//! What libzmq does not have. Structs begin with their size, set by the caller before the call, so that they may grow.

#![allow(missing_docs)] // members say what they are

use std::ffi::{c_char, c_int, c_long};
use std::time::{Duration, Instant};

use tightbeam::{Error, PeerStats, SocketStats};

use crate::constants::own::{
    TIGHTBEAM_ADDRESS_SIZE, TIGHTBEAM_ENDPOINT_SIZE, TIGHTBEAM_ROUTING_ID_SIZE,
};
use crate::context::context;
use crate::entry::{Errno, status};
use crate::raw::{Grown, Handle, Out};
use crate::socket::socket;
use crate::types::zmq_fd_t;

/// What a socket has carried and what has happened to its connections since it was opened, and how many it has. `connections`
/// is the sum of `connecting`, `handshaking` and `established`; `waiting` counts endpoints between two attempts;
/// `events_dropped` counts what monitors did not read in time.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct tightbeam_socket_stats_t {
    pub struct_size: usize,
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub messages_dropped: u64,
    pub accepted: u64,
    pub connected: u64,
    pub handshakes_succeeded: u64,
    pub handshakes_failed: u64,
    pub disconnected: u64,
    pub connect_retries: u64,
    pub accepts_failed: u64,
    pub resolves_failed: u64,
    pub budgets_exceeded: u64,
    pub events_dropped: u64,
    pub connections: u64,
    pub connecting: u64,
    pub handshaking: u64,
    pub established: u64,
    pub waiting: u64,
    pub listeners: u64,
    pub peers: u64,
}

/// What has passed between a socket and one peer, and what waits. Texts end with a zero byte, and are cut if they are longer
/// than there is room; `routing_id_size` is how long it is. `last_heard_ms` is how long ago bytes came, `round_trip_us` how
/// long a heartbeat took; -1 if that is not known.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct tightbeam_peer_stats_t {
    pub struct_size: usize,
    pub address: [c_char; TIGHTBEAM_ADDRESS_SIZE],
    pub endpoint: [c_char; TIGHTBEAM_ENDPOINT_SIZE],
    pub routing_id: [u8; TIGHTBEAM_ROUTING_ID_SIZE],
    pub routing_id_size: usize,
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub messages_dropped: u64,
    pub send_queue: u64,
    pub recv_queue: u64,
    pub send_queue_bytes: u64,
    pub recv_queue_bytes: u64,
    pub last_heard_ms: i64,
    pub round_trip_us: i64,
    pub connected: c_int,
    pub send_blocked: c_int,
    pub recv_blocked: c_int,
}

/// Writes what a socket has carried and holds. `EFAULT` without a struct, `EINVAL` if its size is none.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_socket_stats(
    socket: Handle,
    stats: Grown<tightbeam_socket_stats_t>,
) -> c_int {
    status(|| {
        let found = self::socket(socket)?.stats()?;
        stats.put(&[of_socket(&found)])
    })
}

/// Writes the same for each peer into an array that has room for `*count`, the size of each element standing in the first one;
/// `*count` is then how many there are, also if there was not room for all.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_peer_stats(
    socket: Handle,
    peers: Grown<tightbeam_peer_stats_t>,
    count: Out<usize>,
) -> c_int {
    status(|| {
        let room = count.get(libc::EFAULT)?;
        let found = self::socket(socket)?.stats()?.peers;
        let now = Instant::now();
        let taken: Vec<_> = found.iter().take(room).map(|peer| of_peer(peer, now)).collect();
        if !taken.is_empty() {
            peers.put(&taken)?;
        }
        count.put(found.len());
        Ok(())
    })
}

/// Writes a descriptor that is readable for exactly as long as a message can be received: for loops that are level-triggered,
/// as `poll` and `select` are. Never read from it; it lives as long as the socket.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_readable_fd(socket: Handle, fd: Out<zmq_fd_t>) -> c_int {
    status(|| {
        let socket = self::socket(socket)?;
        fd.get(libc::EFAULT)?;
        fd.put(std::os::fd::AsRawFd::as_raw_fd(&socket.readable_descriptor()?));
        Ok(())
    })
}

/// As `zmq_ctx_term`, waiting no longer than so many milliseconds (-1: as long as it takes). `EAGAIN` if sockets were left; the
/// context is then shut down, and this may be called again.
#[unsafe(no_mangle)]
pub extern "C" fn tightbeam_ctx_term_timeout(context: Handle, timeout_ms: c_long) -> c_int {
    status(|| {
        let entered = self::context(context)?;
        let done = match u64::try_from(timeout_ms) {
            Ok(timeout) => entered.term_timeout(Duration::from_millis(timeout)),
            Err(_) if timeout_ms == -1 => entered.term().map(|()| true),
            Err(_) => return Err(Errno(libc::EINVAL)),
        };
        match done {
            // A forked child has nothing to wait for.
            Ok(true) | Err(Error::Forked) => {}
            Ok(false) => return Err(Errno(libc::EAGAIN)),
            Err(error) => return Err(error.into()),
        }
        entered.close();
        Ok(())
    })
}

fn of_socket(stats: &SocketStats) -> tightbeam_socket_stats_t {
    let (traffic, counters) = (stats.traffic, stats.counters);
    tightbeam_socket_stats_t {
        struct_size: size_of::<tightbeam_socket_stats_t>(),
        messages_sent: traffic.messages_sent,
        bytes_sent: traffic.bytes_sent,
        messages_received: traffic.messages_received,
        bytes_received: traffic.bytes_received,
        messages_dropped: traffic.messages_dropped,
        accepted: counters.accepted,
        connected: counters.connected,
        handshakes_succeeded: counters.handshakes_succeeded,
        handshakes_failed: counters.handshakes_failed,
        disconnected: counters.disconnected,
        connect_retries: counters.connect_retries,
        accepts_failed: counters.accepts_failed,
        resolves_failed: counters.resolves_failed,
        budgets_exceeded: counters.budgets_exceeded,
        events_dropped: stats.events_dropped,
        connections: number(stats.connections),
        connecting: number(stats.connecting),
        handshaking: number(stats.handshaking),
        established: number(stats.established),
        waiting: number(stats.waiting),
        listeners: number(stats.listeners),
        peers: number(stats.peers.len()),
    }
}

fn of_peer(stats: &PeerStats, now: Instant) -> tightbeam_peer_stats_t {
    let traffic = stats.traffic;
    let endpoint = stats.endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut routing_id = [0; TIGHTBEAM_ROUTING_ID_SIZE];
    for (place, byte) in routing_id.iter_mut().zip(&stats.routing_id) {
        *place = *byte;
    }
    let heard = stats.last_heard.map(|heard| now.saturating_duration_since(heard));
    tightbeam_peer_stats_t {
        struct_size: size_of::<tightbeam_peer_stats_t>(),
        address: text(&stats.address),
        endpoint: text(&endpoint),
        routing_id,
        routing_id_size: stats.routing_id.len(),
        messages_sent: traffic.messages_sent,
        bytes_sent: traffic.bytes_sent,
        messages_received: traffic.messages_received,
        bytes_received: traffic.bytes_received,
        messages_dropped: traffic.messages_dropped,
        send_queue: number(stats.send_queue),
        recv_queue: number(stats.recv_queue),
        send_queue_bytes: number(stats.send_queue_bytes),
        recv_queue_bytes: number(stats.recv_queue_bytes),
        last_heard_ms: or_minus_one(heard.map(|passed| passed.as_millis())),
        round_trip_us: or_minus_one(stats.round_trip.map(|took| took.as_micros())),
        connected: stats.connected.into(),
        send_blocked: stats.send_blocked.into(),
        recv_blocked: stats.recv_blocked.into(),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn or_minus_one(time: Option<u128>) -> i64 {
    time.map_or(-1, |time| i64::try_from(time).unwrap_or(i64::MAX))
}

/// As much of a text as there is room for, and a zero byte.
fn text<const ROOM: usize>(text: &str) -> [c_char; ROOM] {
    let mut room = [0; ROOM];
    for (place, byte) in room[..ROOM - 1].iter_mut().zip(text.bytes()) {
        *place = byte.cast_signed();
    }
    room
}
