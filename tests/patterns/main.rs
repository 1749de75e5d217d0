//! The patterns over real sockets, by RFC clause.
