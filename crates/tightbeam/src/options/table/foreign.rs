//! Options of transports that do not exist here: stored and read back, and the transport is refused.

use super::build::*;

const ABOVE: &str = "int: 1 or more";
const BYTES: &str = "unsigned 64-bit int: bytes";

pub(super) const ROWS: &[OptionSpec] = &[
    int("RATE", RATE, 1, MAX, "int: kilobits per second, 1 or more", 100)
        .kept(|o| o.foreign.rate.into(), |o, v| o.foreign.rate = clamped(v)),
    int("RECOVERY_IVL", RECOVERY_IVL, 0, MAX, MILLIS, 10_000)
        .kept(|o| o.foreign.recovery_ivl.into(), |o, v| o.foreign.recovery_ivl = clamped(v)),
    int("MULTICAST_HOPS", MULTICAST_HOPS, 1, MAX, ABOVE, 1)
        .kept(|o| o.foreign.multicast_hops.into(), |o, v| o.foreign.multicast_hops = clamped(v)),
    int("MULTICAST_MAXTPDU", MULTICAST_MAXTPDU, 1, MAX, "int: bytes, 1 or more", 1500).kept(
        |o| o.foreign.multicast_maxtpdu.into(),
        |o, v| o.foreign.multicast_maxtpdu = clamped(v),
    ),
    truth("MULTICAST_LOOP", MULTICAST_LOOP, 1)
        .kept(|o| o.foreign.multicast_loop.into(), |o, v| o.foreign.multicast_loop = v != 0),
    uint64("VMCI_BUFFER_SIZE", VMCI_BUFFER_SIZE, BYTES)
        .set_only()
        .unsigned(|o| o.foreign.vmci_buffer_size, |o, v| o.foreign.vmci_buffer_size = v),
    uint64("VMCI_BUFFER_MIN_SIZE", VMCI_BUFFER_MIN_SIZE, BYTES)
        .set_only()
        .unsigned(|o| o.foreign.vmci_buffer_min_size, |o, v| o.foreign.vmci_buffer_min_size = v),
    uint64("VMCI_BUFFER_MAX_SIZE", VMCI_BUFFER_MAX_SIZE, BYTES)
        .set_only()
        .unsigned(|o| o.foreign.vmci_buffer_max_size, |o, v| o.foreign.vmci_buffer_max_size = v),
    int("VMCI_CONNECT_TIMEOUT", VMCI_CONNECT_TIMEOUT, i32::MIN, MAX, "int: milliseconds", -1)
        .set_only()
        .kept(
            |o| o.foreign.vmci_connect_timeout.into(),
            |o, v| o.foreign.vmci_connect_timeout = clamped(v),
        ),
    truth("LOOPBACK_FASTPATH", LOOPBACK_FASTPATH, 0)
        .kept(|o| o.foreign.loopback_fastpath.into(), |o, v| o.foreign.loopback_fastpath = v != 0),
];
