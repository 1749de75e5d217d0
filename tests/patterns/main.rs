//! The patterns over real sockets, by RFC clause.

mod bodies;
mod context_options;
mod contexts;
mod endpoints;
mod hwm;
mod inproc;
mod ipc;
mod linger;
mod monitor_sockets;
mod monitors;
mod observe;
mod options;
mod pair;
mod parts;
mod pipeline;
mod proxies;
mod pubsub;
mod reconnect;
mod reqrep;
mod router;
mod socks;
mod tcp;
mod tuning;
mod xpub;
