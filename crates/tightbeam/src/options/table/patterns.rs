//! What the patterns do.

use zmtp::SocketType::{Dealer, Req, Router, Sub};

use super::build::*;

pub(super) const ROWS: &[OptionSpec] = &[
    bytes("SUBSCRIBE", SUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub]),
    bytes("UNSUBSCRIBE", UNSUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub]),
    flag("ROUTER_MANDATORY", ROUTER_MANDATORY)
        .of(&[Router])
        .kept(|o| o.router_mandatory.into(), |o, v| o.router_mandatory = v != 0),
    flag("PROBE_ROUTER", PROBE_ROUTER)
        .of(&[Router, Dealer, Req])
        .kept(|o| o.probe_router.into(), |o, v| o.probe_router = v != 0),
    flag("REQ_CORRELATE", REQ_CORRELATE)
        .of(&[Req])
        .kept(|o| o.req_correlate.into(), |o, v| o.req_correlate = v != 0),
    flag("REQ_RELAXED", REQ_RELAXED)
        .of(&[Req])
        .kept(|o| o.req_relaxed.into(), |o, v| o.req_relaxed = v != 0),
    flag("ROUTER_HANDOVER", ROUTER_HANDOVER)
        .of(&[Router])
        .kept(|o| o.router_handover.into(), |o, v| o.router_handover = v != 0),
    flag("XPUB_NODROP", XPUB_NODROP)
        .of(PUBLISHERS)
        .kept(|o| o.xpub_nodrop.into(), |o, v| o.xpub_nodrop = v != 0),
];
