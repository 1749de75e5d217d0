//! What the system calls promise.
