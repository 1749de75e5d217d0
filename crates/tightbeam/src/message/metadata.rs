//! What a frame carries beside its bytes.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use super::frame::Frame;
use super::peer::Peer;

/// The flag that another part of the same message follows.
const MORE: u8 = 1;

/// The longest group, in bytes.
const MAX_GROUP: usize = 255;

/// A group that is too long or has a zero byte in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group has at most {MAX_GROUP} bytes, none of them zero")]
pub struct BadGroup;

/// What a frame carries beside its bytes.
impl Frame {
    /// Whether another part of the same message follows.
    #[inline]
    #[must_use]
    pub fn more(&self) -> bool {
        self.flags & MORE != 0
    }

    /// Says whether another part of the same message follows. Sending a whole
    /// [`Message`](crate::Message) sets it as needed.
    #[inline]
    pub fn set_more(&mut self, more: bool) {
        self.flags = if more { self.flags | MORE } else { self.flags & !MORE };
    }

    /// The peer that the frame was received from.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    /// The same body, shared, without anything that the frame carries beside it.
    pub(crate) fn share_body(&self) -> Frame {
        let mut shared = self.clone();
        (shared.peer, shared.group) = (None, None);
        (shared.routing_id, shared.flags) = (0, 0);
        shared
    }

    /// Says which peer the frame came from.
    #[inline]
    pub fn set_peer(&mut self, peer: Option<Arc<Peer>>) {
        self.peer = peer;
    }

    /// The number of the peer on a SERVER or PEER socket; 0 if there is none.
    #[must_use]
    pub fn routing_id(&self) -> u32 {
        self.routing_id
    }

    /// Sets the number of the peer to send to; 0 for none.
    pub fn set_routing_id(&mut self, routing_id: u32) {
        self.routing_id = routing_id;
    }

    /// The group on a RADIO or DISH socket; empty if there is none.
    #[must_use]
    pub fn group(&self) -> &[u8] {
        self.group_c_str().to_bytes()
    }

    /// The group as C sees it; empty if there is none.
    #[must_use]
    pub fn group_c_str(&self) -> &CStr {
        self.group.as_ref().map_or(c"", |group| group.as_c_str())
    }

    /// Sets the group to publish to; empty for none.
    ///
    /// # Errors
    ///
    /// The group is longer than 255 bytes or has a zero byte in it.
    pub fn set_group(&mut self, group: impl AsRef<[u8]>) -> Result<(), BadGroup> {
        let group = group.as_ref();
        if group.len() > MAX_GROUP {
            return Err(BadGroup);
        }
        self.group = match group {
            [] => None,
            _ => Some(Arc::new(CString::new(group).map_err(|_| BadGroup)?)),
        };
        Ok(())
    }
}
