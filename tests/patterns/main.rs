//! The patterns over real sockets, by RFC clause.

mod pipeline;
mod reqrep;
mod router;
