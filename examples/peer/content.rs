//! What the messages consist of.

use std::fs;

use tightbeam::{Frame, Message};

use super::arguments::Arguments;

/// The rule that says what message `i` is.
#[derive(Debug)]
pub(crate) enum Content {
    /// Parts that are windows into 0, 1, ..., 255, 0, 1, ...: byte j of part p of message i is 31 i + 7 p + j, modulo 256.
    Pattern { bytes: Frame, size: usize, parts: usize },
    /// The lines of a file, over and over.
    Lines(Vec<Frame>),
}

impl Content {
    pub(crate) fn new(arguments: &Arguments) -> Result<Content, String> {
        let &Arguments { size, parts, .. } = arguments;
        let Some(path) = &arguments.lines else {
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(size + 255).collect();
            return Ok(Content::Pattern { bytes: bytes.into(), size, parts });
        };
        let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        Ok(Content::Lines(text.split(|&byte| byte == b'\n').map(Frame::from).collect()))
    }

    /// How many messages there are unless `--count` says it: the number of lines, or 1.
    pub(crate) fn lines(&self) -> u64 {
        match self {
            Content::Pattern { .. } => 1,
            Content::Lines(lines) => lines.len() as u64,
        }
    }

    pub(crate) fn message(&self, i: u64) -> Message {
        match self {
            Content::Pattern { parts: 1, .. } => Message::from(self.part(i, 0)),
            Content::Pattern { parts, .. } => (0..*parts).map(|p| self.part(i, p)).collect(),
            Content::Lines(_) => Message::from(self.part(i, 0)),
        }
    }

    /// Part `p` of message `i`: shares the bytes of all the others.
    fn part(&self, i: u64, p: usize) -> Frame {
        match self {
            Content::Pattern { bytes, size, .. } => {
                let start = (i.wrapping_mul(31).wrapping_add(7 * p as u64) % 256) as usize;
                bytes.slice(start..start + size)
            }
            Content::Lines(lines) => lines[(i % lines.len() as u64) as usize].clone(),
        }
    }

    /// Whether these are the parts of some message; its first byte tells of which.
    pub(crate) fn fits_some(&self, parts: &[Frame]) -> bool {
        // 31 * 223 = 27 * 256 + 1: message 223 b begins with byte b.
        let first = parts.first().and_then(|part| part.first()).copied().unwrap_or(0);
        match self {
            Content::Pattern { .. } => parts == &*self.message(223 * u64::from(first)),
            Content::Lines(_) => parts.len() == 1,
        }
    }
}
