//! Deflated data sets (PS3.5 §A.5), inflated only as far as asked.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// How many times as long a deflated header may become. Deflate itself could make it 1032 times; headers become 2 to 20 times.
pub(crate) const INFLATION_MAX: usize = 128;

/// Up to here it may become as long as it likes, in bytes.
const INFLATED_FREE: usize = 1 << 20;

/// So many bytes are inflated before it is tried whether they are enough: the UIDs of most instances lie within them.
const FIRST_INFLATED: usize = 8 * 1024;
/// Each further try is with so many times more.
const INFLATED_FACTOR: usize = 4;

/// Deflated bytes that are inflated step by step, up to a limit that the caller sets, and to one that their own number does.
pub(crate) struct Inflating<'a> {
    decoder: DeflateDecoder<&'a [u8]>,
    inflated: Vec<u8>,
    stream: Stream,
    /// The smaller of both limits.
    bytes_max: usize,
    /// How far the next step goes.
    wanted: usize,
}

/// What comes behind the bytes that are inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// More, as far as is known.
    GoesOn,
    /// Nothing: it ends there.
    Ended,
    /// Nothing that can be inflated.
    Broken,
}

impl<'a> Inflating<'a> {
    /// Nothing is inflated yet.
    pub(crate) fn new(deflated: &'a [u8], bytes_max: usize) -> Self {
        let decoder = DeflateDecoder::new(deflated);
        let grown = deflated.len().saturating_mul(INFLATION_MAX).max(INFLATED_FREE);
        let bytes_max = grown.min(bytes_max);
        let wanted = FIRST_INFLATED.min(bytes_max);
        Self { decoder, inflated: Vec::new(), stream: Stream::GoesOn, bytes_max, wanted }
    }

    /// Inflates on: some thousand bytes at first, then to four times as many. At the limits it is known whether the stream ends there.
    pub(crate) fn step(&mut self) {
        let wanted = self.wanted;
        self.up_to(wanted);
        if wanted == self.bytes_max {
            self.look_for_end();
        }
        self.wanted = wanted.saturating_mul(INFLATED_FACTOR).min(self.bytes_max);
    }

    fn up_to(&mut self, bytes_max: usize) {
        let wanted = bytes_max.saturating_sub(self.inflated.len());
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        let read = self.decoder.by_ref().take(wanted).read_to_end(&mut self.inflated);
        if read.is_err() {
            self.stream = Stream::Broken;
        } else if self.inflated.len() < bytes_max {
            self.stream = Stream::Ended;
        }
    }

    /// Finds out whether the stream ends here. It cannot be inflated on afterwards: the next byte may be lost.
    fn look_for_end(&mut self) {
        if self.stream == Stream::GoesOn && matches!(self.decoder.read(&mut [0]), Ok(0)) {
            self.stream = Stream::Ended;
        }
    }

    /// Whether a limit is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.inflated.len() >= self.bytes_max
    }

    /// What is inflated.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.inflated
    }

    /// What comes behind it.
    pub(crate) fn stream(&self) -> Stream {
        self.stream
    }
}
