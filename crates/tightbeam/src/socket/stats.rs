//! What a socket has carried and what it holds, for those who watch it. Nothing here costs anything while
//! messages pass: it is counted anyway, or looked up when it is asked for.

use std::time::{Duration, Instant};

use zmtp::SocketType;

use super::core::Core;
use super::report::Counters;
use super::state::{Source, State};
use crate::connection::{Connection, Phase};
use crate::endpoint::Endpoint;
use crate::pipe::{Pipe, PipeId, Traffic};
use crate::session::Stage;

/// What a socket has carried, and what it holds now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketStats {
    /// Messages and bytes since the socket was opened.
    pub traffic: Traffic,
    /// What has happened to its connections since then.
    pub counters: Counters,
    /// Network connections in every state: the sum of the three that follow.
    pub connections: usize,
    /// Connections that are being made.
    pub connecting: usize,
    /// Connections whose handshake is not complete.
    pub handshaking: usize,
    /// Connections over which messages flow.
    pub established: usize,
    /// Endpoints that wait until they are connected to again, or for their names to be looked up.
    pub waiting: usize,
    /// Network endpoints that are bound.
    pub listeners: usize,
    /// Events that monitors have missed because they were not read in time.
    pub events_dropped: u64,
    /// Each peer, whether or not it is connected just now.
    pub peers: Vec<PeerStats>,
}

/// What has passed between a socket and one peer, and what waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStats {
    /// The peer's address as in `Peer-Address`; empty before the first handshake.
    pub address: String,
    /// The peer's routing id; empty if it has none.
    pub routing_id: Vec<u8>,
    /// The endpoint that was connected to, or that the peer came to; none over inproc.
    pub endpoint: Option<Endpoint>,
    /// Whether a connection is up.
    pub connected: bool,
    /// Messages and bytes.
    pub traffic: Traffic,
    /// Messages that wait to be sent.
    pub send_queue: usize,
    /// Messages that wait to be received.
    pub recv_queue: usize,
    /// Bytes that wait to be sent, in wire form; 0 over inproc.
    pub send_queue_bytes: usize,
    /// Bytes that wait to be received, in wire form; 0 over inproc.
    pub recv_queue_bytes: usize,
    /// The queue to the peer is full: sending waits, or drops.
    pub send_blocked: bool,
    /// The queue from the peer is full: reading waits until some of it was received.
    pub recv_blocked: bool,
    /// When bytes came last over the connection that is up.
    pub last_heard: Option<Instant>,
    /// From a PING to the PONG that came next; none without heartbeats (option HEARTBEAT_IVL).
    pub round_trip: Option<Duration>,
}

/// Messages that a socket, open or closed, was given for one peer and has not handed to the system in full.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsent {
    /// The type of the socket.
    pub socket_type: SocketType,
    /// The endpoint that it connects to, or that the peer came to.
    pub endpoint: Option<Endpoint>,
    /// Whether a connection is up; otherwise they wait for one.
    pub connected: bool,
    /// How many there are.
    pub messages: usize,
}

impl Core {
    /// What the socket still has to send to other processes, if it lingers for it. What can be written is written first.
    pub(crate) fn unsent(&self) -> Vec<Unsent> {
        self.flush_all();
        let guard = self.lock_always();
        if guard.options.linger == Some(Duration::ZERO) {
            return Vec::new();
        }
        let waiting = guard.pipes.iter().filter(|(_, pipe)| {
            !pipe.dead && pipe.lane().is_none() && pipe.outgoing.messages() > 0
        });
        waiting
            .map(|(id, pipe)| Unsent {
                socket_type: self.socket_type,
                endpoint: guard.place_of_pipe(id).into_endpoint(),
                connected: guard.connection_of(id).is_some(),
                messages: pipe.outgoing.messages(),
            })
            .collect()
    }
}

impl State {
    pub(super) fn stats(&self) -> SocketStats {
        let mut stats = SocketStats {
            traffic: self.pipes.traffic(),
            counters: self.counters,
            events_dropped: self.monitors.dropped(),
            peers: self.pipes.iter().map(|(id, pipe)| self.peer_stats(id, pipe)).collect(),
            ..SocketStats::default()
        };
        for source in self.sources.values() {
            let state = match source {
                Source::Listener(_) => &mut stats.listeners,
                Source::Connection(connection) => match connection.phase {
                    Phase::Connecting => &mut stats.connecting,
                    Phase::Handshake => &mut stats.handshaking,
                    Phase::Traffic => &mut stats.established,
                },
                // Nobody can send or receive through it.
                Source::Draining(_) => continue,
            };
            *state += 1;
        }
        stats.connections = stats.connecting + stats.handshaking + stats.established;
        let waits = |stage| matches!(stage, Stage::Waiting | Stage::Resolving);
        stats.waiting = self.sessions.values().filter(|session| waits(session.stage)).count();
        stats
    }

    fn peer_stats(&self, id: PipeId, pipe: &Pipe) -> PeerStats {
        let connection = self.connection_of(id);
        let peer = pipe.peer.as_deref();
        PeerStats {
            address: peer.map(|peer| peer.address().to_owned()).unwrap_or_default(),
            routing_id: peer.map(|peer| peer.routing_id().to_vec()).unwrap_or_default(),
            endpoint: self.place_of_pipe(id).into_endpoint(),
            connected: connection.is_some() || self.local.is_connected(id),
            traffic: pipe.traffic,
            send_queue: pipe.unsent(),
            recv_queue: pipe.unreceived(),
            send_queue_bytes: pipe.outgoing.bytes(),
            recv_queue_bytes: pipe.incoming.bytes(),
            send_blocked: !pipe.dead && !pipe.has_room(),
            recv_blocked: pipe.paused,
            last_heard: connection.and_then(|connection| connection.heard),
            round_trip: connection.and_then(|connection| connection.round_trip),
        }
    }

    /// The connection that serves a pipe just now.
    pub(super) fn connection_of(&self, id: PipeId) -> Option<&Connection> {
        match self.sources.get(*self.links.get(id)?)? {
            Source::Connection(connection) => Some(connection),
            Source::Listener(_) | Source::Draining(_) => None,
        }
    }
}
