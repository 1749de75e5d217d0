//! Models of the hand-over.
