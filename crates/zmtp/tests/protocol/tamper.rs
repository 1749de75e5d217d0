//! Somebody on the wire who alters, drops, repeats and reorders what goes by.

/// What happens to one piece of what is sent. Numbers are positions, taken modulo the length of the piece.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    Alter(usize, u8),
    Cut(usize),
    Drop,
    Twice,
    /// After what is sent next.
    Later,
    Insert(usize, Vec<u8>),
}

/// One direction of the wire.
#[derive(Default)]
pub(crate) struct Way {
    held: Vec<u8>,
}

impl Way {
    /// What arrives when these bytes are sent.
    pub(crate) fn carry(&mut self, mut bytes: Vec<u8>, fate: Option<&Fate>) -> Vec<u8> {
        let at = |at: &usize| at % bytes.len().max(1);
        match fate {
            None => {}
            Some(Fate::Alter(place, mask)) => {
                let at = at(place);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= mask);
            }
            Some(Fate::Cut(place)) => bytes.truncate(at(place)),
            Some(Fate::Drop) => bytes.clear(),
            Some(Fate::Twice) => bytes.extend_from_within(..),
            Some(Fate::Later) => {
                std::mem::swap(&mut self.held, &mut bytes);
                return bytes;
            }
            Some(Fate::Insert(place, more)) => {
                let at = at(place);
                bytes.splice(at..at, more.iter().copied());
            }
        }
        bytes.append(&mut self.held);
        bytes
    }
}
