//! What the patterns do.

use zmtp::SocketType::{self, Dealer, Pub, Rep, Req, Router, Stream, Sub, XPub, XSub};

use super::build::*;

/// REP is a ROUTER that keeps the envelopes, and takes the same options.
const ROUTERS: &[SocketType] = &[Rep, Router];

pub(super) const ROWS: &[OptionSpec] = &[
    bytes("SUBSCRIBE", SUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub, XPub]),
    bytes("UNSUBSCRIBE", UNSUBSCRIBE, 0, usize::MAX, TOPIC).set_only().live().of(&[Sub, XPub]),
    flag("ROUTER_MANDATORY", ROUTER_MANDATORY)
        .of(ROUTERS)
        .kept(|o| o.router_mandatory.into(), |o, v| o.router_mandatory = v != 0),
    flag("PROBE_ROUTER", PROBE_ROUTER)
        .of(&[Req, Rep, Dealer, Router])
        .kept(|o| o.probe_router.into(), |o, v| o.probe_router = v != 0),
    flag("REQ_CORRELATE", REQ_CORRELATE)
        .of(&[Req])
        .kept(|o| o.req_correlate.into(), |o, v| o.req_correlate = v != 0),
    flag("REQ_RELAXED", REQ_RELAXED)
        .of(&[Req])
        .kept(|o| o.req_relaxed.into(), |o, v| o.req_relaxed = v != 0),
    flag("ROUTER_HANDOVER", ROUTER_HANDOVER)
        .of(ROUTERS)
        .kept(|o| o.router_handover.into(), |o, v| o.router_handover = v != 0),
    flag("XPUB_NODROP", XPUB_NODROP)
        .of(PUBLISHERS)
        .kept(|o| o.xpub_nodrop.into(), |o, v| o.xpub_nodrop = v != 0),
    flag("ROUTER_RAW", ROUTER_RAW)
        .of(ROUTERS)
        .kept(|o| o.router_raw.into(), |o, v| o.router_raw = v != 0),
    bytes("CONNECT_ROUTING_ID", CONNECT_ROUTING_ID, 1, usize::MAX, "1 byte or more")
        .set_only()
        .of(&[Rep, Router, Stream])
        .stored(
            |o| o.connect_routing_id.clone().unwrap_or_default(),
            |o, v| o.connect_routing_id = Some(v.to_vec()),
        ),
    OptionSpec { access: Access::Set, ..int("STREAM_NOTIFY", STREAM_NOTIFY, 0, 1, BOOL, 1) }
        .of(&[Stream])
        .kept(|o| o.stream_notify.into(), |o, v| o.stream_notify = v != 0),
    int("ROUTER_NOTIFY", ROUTER_NOTIFY, 0, 3, "int: 0 to 3, bits that add up", 0)
        .of(&[Router])
        .kept(|o| o.router_notify.into(), |o, v| o.router_notify = u8::try_from(v).unwrap_or(0)),
    // Either of VERBOSE and VERBOSER says what the other said before.
    flag("XPUB_VERBOSE", XPUB_VERBOSE).of(PUBLISHERS).kept(
        |o| (o.xpub_verbose && !o.xpub_verbose_unsubscribe).into(),
        |o, v| {
            o.xpub_verbose = v != 0;
            o.xpub_verbose_unsubscribe = false;
        },
    ),
    flag("XPUB_VERBOSER", XPUB_VERBOSER).of(PUBLISHERS).kept(
        |o| o.xpub_verbose_unsubscribe.into(),
        |o, v| {
            o.xpub_verbose = v != 0;
            o.xpub_verbose_unsubscribe = v != 0;
        },
    ),
    flag("XPUB_MANUAL", XPUB_MANUAL)
        .of(PUBLISHERS)
        .kept(|o| o.xpub_manual.into(), |o, v| o.xpub_manual = v != 0),
    flag("XPUB_MANUAL_LAST_VALUE", XPUB_MANUAL_LAST_VALUE).of(PUBLISHERS).kept(
        |o| o.xpub_manual_last_value.into(),
        |o, v| {
            o.xpub_manual = v != 0;
            o.xpub_manual_last_value = v != 0;
        },
    ),
    bytes("XPUB_WELCOME_MSG", XPUB_WELCOME_MSG, 0, usize::MAX, "bytes of any number")
        .set_only()
        .live()
        .of(PUBLISHERS)
        .stored(|o| o.xpub_welcome_msg.clone(), |o, v| o.xpub_welcome_msg = v.to_vec()),
    truth("INVERT_MATCHING", INVERT_MATCHING, 0)
        .live()
        .kept(|o| o.invert_matching.into(), |o, v| o.invert_matching = v != 0),
    flag("ONLY_FIRST_SUBSCRIBE", ONLY_FIRST_SUBSCRIBE)
        .of(&[Pub, XPub, XSub])
        .kept(|o| o.only_first_subscribe.into(), |o, v| o.only_first_subscribe = v != 0),
    answer("TOPICS_COUNT", TOPICS_COUNT).default_int(0).of(&[Pub, Sub, XPub, XSub]),
];
