//! What a socket is and says of itself.

use super::build::*;

pub(super) const ROWS: &[OptionSpec] = &[
    bytes("ROUTING_ID", ROUTING_ID, 1, 255, "1 to 255 bytes")
        .stored(|o| o.routing_id.clone(), |o, v| o.routing_id = v.to_vec()),
    answer("RCVMORE", RCVMORE),
    answer("EVENTS", EVENTS),
    answer("TYPE", TYPE),
    OptionSpec {
        kind: Kind::Bytes { min: 0, max: usize::MAX },
        default: Some(Value::Bytes(b"")),
        ..answer("LAST_ENDPOINT", LAST_ENDPOINT)
    },
    bytes(
        "METADATA",
        METADATA,
        5,
        crate::options::METADATA_MAX,
        "X-name:value, a name of letters, digits and -_.+, at most 255 bytes; 32 KiB of metadata in all",
    )
    .appended(Options::add_metadata),
];
