//! What a socket is and says of itself.

use super::build::*;
use crate::options::metadata::METADATA_MAX;

pub(super) const ROWS: &[OptionSpec] = &[
    uint64("AFFINITY", AFFINITY, "unsigned 64-bit int: I/O threads as bits, 0 for any")
        .unsigned(|o| o.affinity, |o, v| o.affinity = v),
    bytes("ROUTING_ID", ROUTING_ID, 1, 255, "1 to 255 bytes")
        .stored(|o| o.routing_id.clone(), |o, v| o.routing_id = v.to_vec()),
    answer("RCVMORE", RCVMORE),
    answer("EVENTS", EVENTS),
    answer("FD", FD),
    answer("TYPE", TYPE),
    // As libzmq says of these types, although sockets may be shared between threads here.
    answer("THREAD_SAFE", THREAD_SAFE).default_int(0).read_only(|_| 0),
    OptionSpec {
        kind: Kind::Text { min: 0, max: usize::MAX, clears: false },
        default: Some(Value::Bytes(b"")),
        ..answer("LAST_ENDPOINT", LAST_ENDPOINT)
    },
    bytes(
        "METADATA",
        METADATA,
        5,
        METADATA_MAX,
        "X-name:value, a name of letters, digits and -_.+, at most 255 bytes; 32 KiB of metadata in all",
    )
    .appended(Options::add_metadata),
];
