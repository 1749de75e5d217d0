//! Appending without a look at whether there is memory.

use std::ptr;

/// Appends both if there is room for them. `Vec::extend_from_slice` makes room where there is none, and is a call of its own for that.
#[inline(always)]
pub(crate) fn append_within(bytes: &mut Vec<u8>, head: [u8; 2], body: &[u8]) -> bool {
    let (len, more) = (bytes.len(), head.len() + body.len());
    if bytes.capacity() - len < more {
        return false;
    }
    // SAFETY: there is room for both behind what is there, none of which they are part of: that is borrowed to be changed.
    // Afterwards all up to the new length was written.
    unsafe {
        let end = bytes.as_mut_ptr().add(len);
        ptr::copy_nonoverlapping(head.as_ptr(), end, head.len());
        ptr::copy_nonoverlapping(body.as_ptr(), end.add(head.len()), body.len());
        bytes.set_len(len + more);
    }
    true
}
