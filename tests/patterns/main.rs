//! The patterns over real sockets, by RFC clause.

mod endpoints;
mod hwm;
mod linger;
mod parts;
mod pipeline;
mod pubsub;
mod reqrep;
mod router;
