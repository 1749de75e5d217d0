//! Models of the hand-over, in `tests/`: `bounded` checks its lock-free pieces with loom, `world` a
//! whole socket with shuttle. Both build the library's own files on the checker's atomics, so that
//! no special flags are needed.
