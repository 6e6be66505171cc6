//! Deflated data sets (PS3.5 §A.5), inflated only as far as asked.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// The first `bytes_max` bytes of what `deflated` holds, and whether the stream came to its end within them.
///
/// Deflated data that is cut or broken gives what could be inflated before that; the end is then not reached.
pub(crate) fn inflate(deflated: &[u8], bytes_max: usize) -> (Vec<u8>, bool) {
    let mut inflating = Inflating::new(deflated);
    inflating.up_to(bytes_max);
    inflating.look_for_end();
    (inflating.inflated, inflating.stream == Stream::Ended)
}

/// Deflated bytes that are inflated step by step.
pub(crate) struct Inflating<'a> {
    decoder: DeflateDecoder<&'a [u8]>,
    inflated: Vec<u8>,
    stream: Stream,
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
    pub(crate) fn new(deflated: &'a [u8]) -> Self {
        let decoder = DeflateDecoder::new(deflated);
        Self { decoder, inflated: Vec::new(), stream: Stream::GoesOn }
    }

    /// Inflates on until there are `bytes_max` bytes in all, or no more can be had.
    pub(crate) fn up_to(&mut self, bytes_max: usize) {
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
    pub(crate) fn look_for_end(&mut self) {
        if self.stream == Stream::GoesOn && matches!(self.decoder.read(&mut [0]), Ok(0)) {
            self.stream = Stream::Ended;
        }
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
