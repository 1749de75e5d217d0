//! Scripted and hostile peers on real sockets.
