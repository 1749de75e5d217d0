//! What pays only sometimes, and is tried more and more seldom while it brings nothing.

/// After more vain attempts it rests no longer: 2 to the power of it.
const MOST_VAIN: u32 = 10;

/// How often it was tried in vain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attempts {
    /// Less those that were not.
    vain: u32,
    /// So many times more it is not tried.
    rest: u32,
}

impl Attempts {
    pub(super) const NONE: Attempts = Attempts { vain: 0, rest: 0 };

    /// Whether it is time to try.
    pub(super) fn are_due(&self) -> bool {
        self.rest == 0
    }

    /// Whether it was in vain more often than not.
    pub(super) fn are_doubtful(&self) -> bool {
        self.vain > 0
    }

    /// One more time at which it could be tried.
    pub(super) fn pass(&mut self) {
        self.rest = self.rest.saturating_sub(1);
    }

    pub(super) fn was_worth_it(&mut self) {
        self.vain = self.vain.saturating_sub(1);
    }

    pub(super) fn was_vain(&mut self, cost: u32) {
        self.vain = (self.vain + cost).min(MOST_VAIN);
        self.rest = 1 << self.vain;
    }
}
