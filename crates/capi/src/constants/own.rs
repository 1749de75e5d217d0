//! Options of sockets that libzmq does not have, and the room for texts in statistics.

use std::ffi::c_int;

/// The most frames in one message (`int`).
pub const TIGHTBEAM_MAX_FRAMES: c_int = 10_000;
/// The most bytes held for one connection (`int64_t`).
pub const TIGHTBEAM_MAX_HELD_BYTES: c_int = 10_001;
/// PUB, XPUB: the most topics that one peer may subscribe (`int`).
pub const TIGHTBEAM_MAX_SUBSCRIPTIONS: c_int = 10_002;
/// PUB, XPUB: the most bytes in the topics of one peer (`int64_t`).
pub const TIGHTBEAM_MAX_TOPIC_BYTES: c_int = 10_003;
/// The most connections of a listener whose handshake is not done (`int`).
pub const TIGHTBEAM_MAX_HANDSHAKES: c_int = 10_004;
/// The most bytes held for all peers together; 0: no limit (`int64_t`).
pub const TIGHTBEAM_MAX_SOCKET_BYTES: c_int = 10_005;
/// The longest command of a handshake, and later of any but a subscription, in bytes (`int`).
pub const TIGHTBEAM_MAX_COMMAND_BYTES: c_int = 10_006;
/// The most metadata properties of a peer (`int`).
pub const TIGHTBEAM_MAX_PROPERTIES: c_int = 10_007;
/// The longest context of a peer's PING, in bytes (`int`).
pub const TIGHTBEAM_MAX_PING_CONTEXT: c_int = 10_008;

/// Bytes for an address, its end included.
pub const TIGHTBEAM_ADDRESS_SIZE: usize = 128;
/// Bytes for an endpoint, its end included.
pub const TIGHTBEAM_ENDPOINT_SIZE: usize = 256;
/// Bytes for a routing id.
pub const TIGHTBEAM_ROUTING_ID_SIZE: usize = 256;

const _: () = {
    use tightbeam::options::number;
    assert!(TIGHTBEAM_MAX_FRAMES == number::MAX_FRAMES);
    assert!(TIGHTBEAM_MAX_HELD_BYTES == number::MAX_HELD_BYTES);
    assert!(TIGHTBEAM_MAX_SUBSCRIPTIONS == number::MAX_SUBSCRIPTIONS);
    assert!(TIGHTBEAM_MAX_TOPIC_BYTES == number::MAX_TOPIC_BYTES);
    assert!(TIGHTBEAM_MAX_HANDSHAKES == number::MAX_HANDSHAKES);
    assert!(TIGHTBEAM_MAX_SOCKET_BYTES == number::MAX_SOCKET_BYTES);
    assert!(TIGHTBEAM_MAX_COMMAND_BYTES == number::MAX_COMMAND_BYTES);
    assert!(TIGHTBEAM_MAX_PROPERTIES == number::MAX_PROPERTIES);
    assert!(TIGHTBEAM_MAX_PING_CONTEXT == number::MAX_PING_CONTEXT);
};
