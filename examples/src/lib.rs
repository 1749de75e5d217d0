//! Programs that use Tightbeam: see the examples of this package.

/// The code in the project's pages is compiled and run with the tests of this package.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/what-you-get.md")]
    mod what_you_get {}
    #[doc = include_str!("../../docs/options.md")]
    mod options {}
    #[doc = include_str!("../../docs/async.md")]
    mod asynchronous {}
    #[doc = include_str!("../../docs/proxy.md")]
    mod proxy {}
    #[doc = include_str!("../../docs/security.md")]
    mod security {}
    #[doc = include_str!("../../docs/certificates.md")]
    mod certificates {}
    #[doc = include_str!("../../docs/monitoring.md")]
    mod monitoring {}
    #[doc = include_str!("../../docs/patterns/request-reply.md")]
    mod request_reply {}
    #[doc = include_str!("../../docs/patterns/publish-subscribe.md")]
    mod publish_subscribe {}
    #[doc = include_str!("../../docs/patterns/pipeline.md")]
    mod pipeline {}
    #[doc = include_str!("../../docs/patterns/pair.md")]
    mod pair {}
    #[doc = include_str!("../../docs/patterns/stream.md")]
    mod stream {}
    #[doc = include_str!("../../docs/transports/tcp.md")]
    mod tcp {}
    #[doc = include_str!("../../docs/transports/ipc.md")]
    mod ipc {}
    #[doc = include_str!("../../docs/transports/inproc.md")]
    mod inproc {}
    #[doc = include_str!("../../docs/coming-from/libzmq.md")]
    mod from_libzmq {}
    #[doc = include_str!("../../docs/coming-from/rust-zmq.md")]
    mod from_rust_zmq {}
    #[doc = include_str!("../../docs/coming-from/zeromq-rs.md")]
    mod from_zeromq_rs {}
}
