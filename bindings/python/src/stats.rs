//! Statistics as dictionaries.

use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use tightbeam::{PeerStats, SocketStats, Traffic};

/// What a socket has carried and holds, and the same for each peer.
pub(crate) fn dict(py: Python<'_>, stats: &SocketStats) -> PyResult<Py<PyDict>> {
    let all = PyDict::new(py);
    put_traffic(&all, &stats.traffic)?;
    let counters = &stats.counters;
    for (name, count) in [
        ("accepted", counters.accepted),
        ("connected", counters.connected),
        ("handshakes_succeeded", counters.handshakes_succeeded),
        ("handshakes_failed", counters.handshakes_failed),
        ("disconnected", counters.disconnected),
        ("connect_retries", counters.connect_retries),
        ("events_dropped", stats.events_dropped),
    ] {
        all.set_item(name, count)?;
    }
    for (name, count) in [
        ("connections", stats.connections),
        ("connecting", stats.connecting),
        ("handshaking", stats.handshaking),
        ("established", stats.established),
        ("waiting", stats.waiting),
        ("listeners", stats.listeners),
    ] {
        all.set_item(name, count)?;
    }
    let now = Instant::now();
    let peers: Vec<_> =
        stats.peers.iter().map(|peer| peer_dict(py, peer, now)).collect::<PyResult<_>>()?;
    all.set_item("peers", PyList::new(py, peers)?)?;
    Ok(all.unbind())
}

fn put_traffic(dict: &Bound<'_, PyDict>, traffic: &Traffic) -> PyResult<()> {
    for (name, count) in [
        ("messages_sent", traffic.messages_sent),
        ("bytes_sent", traffic.bytes_sent),
        ("messages_received", traffic.messages_received),
        ("bytes_received", traffic.bytes_received),
        ("messages_dropped", traffic.messages_dropped),
    ] {
        dict.set_item(name, count)?;
    }
    Ok(())
}

fn peer_dict<'py>(
    py: Python<'py>,
    stats: &PeerStats,
    now: Instant,
) -> PyResult<Bound<'py, PyDict>> {
    let peer = PyDict::new(py);
    peer.set_item("address", &stats.address)?;
    peer.set_item("routing_id", PyBytes::new(py, &stats.routing_id))?;
    peer.set_item("endpoint", stats.endpoint.as_ref().map(ToString::to_string))?;
    peer.set_item("connected", stats.connected)?;
    put_traffic(&peer, &stats.traffic)?;
    for (name, count) in [
        ("send_queue", stats.send_queue),
        ("recv_queue", stats.recv_queue),
        ("send_queue_bytes", stats.send_queue_bytes),
        ("recv_queue_bytes", stats.recv_queue_bytes),
    ] {
        peer.set_item(name, count)?;
    }
    peer.set_item("send_blocked", stats.send_blocked)?;
    peer.set_item("recv_blocked", stats.recv_blocked)?;
    let silent = stats.last_heard.map(|heard| now.saturating_duration_since(heard).as_secs_f64());
    peer.set_item("silent_s", silent)?;
    peer.set_item("round_trip_s", stats.round_trip.map(|took| took.as_secs_f64()))?;
    Ok(peer)
}
