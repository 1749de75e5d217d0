//! `inproc://name`: a socket of the same context.

use std::sync::Arc;

use super::Reason;

/// Checks a name. It may have any length and any characters, but no zero byte: C could not write it.
pub(super) fn name(text: &str) -> Result<Arc<str>, Reason> {
    match text {
        "" => Err("expected a name after inproc://"),
        _ if text.contains('\0') => Err("an inproc name has no zero byte"),
        _ => Ok(text.into()),
    }
}
