//! The patterns over real sockets, by RFC clause.

mod parts;
mod pipeline;
mod pubsub;
mod reqrep;
mod router;
