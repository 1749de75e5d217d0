//! Properties that this side tells in its handshakes.

use super::{Options, Value};

/// The longest name of a metadata property, in bytes (RFC 23).
const PROPERTY_NAME_MAX: usize = 255;
/// The most bytes in the names and values of all metadata together: half of what peers take for a whole handshake.
pub(super) const METADATA_MAX: usize = 32 * 1024;

impl Options {
    /// Adds the property `X-name:value`, or replaces the one of that name; `false` when it is malformed or too much.
    pub(super) fn add_metadata(&mut self, property: Value<'_>) -> bool {
        let Value::Bytes(property) = property else { return false };
        let Some(colon) = property.iter().position(|&b| b == b':') else { return false };
        let (name, value) = (&property[..colon], &property[colon + 1..]);
        // RFC 37 keeps names that begin with X- for applications; with others one could overrule Socket-Type.
        let ours = name.len() > 2 && name[..2].eq_ignore_ascii_case(b"X-");
        let legal = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(b));
        if !ours || !legal || value.is_empty() || name.len() > PROPERTY_NAME_MAX {
            return false;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let others = self.metadata.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(&name));
        let held: usize = others.map(|(n, v)| n.len() + v.len()).sum();
        if held + name.len() + value.len() > METADATA_MAX {
            return false;
        }
        self.metadata.retain(|(n, _)| !n.eq_ignore_ascii_case(&name));
        self.metadata.push((name, value.to_vec()));
        true
    }
}
