//! What `lane` is built on; a model checker puts its own here.

pub(super) use std::sync::{Arc, Mutex, MutexGuard};
