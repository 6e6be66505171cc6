//! The beginning of a data set while it arrives: kept until the UIDs that place the instance are known.

use dataset::{Encoding, End, Prefix, ReadLimits, tags};
use domain::{
    InstanceIdentity, Limits, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    Tag, TransferSyntaxUid,
};

use crate::fault::StoreFault;

/// First look after so many bytes: in nearly all instances the UIDs lie within them.
const FIRST_LOOK_BYTES: usize = 8 * 1024;
/// Each further look is at so many times more.
const LOOK_FACTOR: usize = 4;
/// The Series Instance UID may lie behind long reference sequences of group 0008 (a Segmentation of many slices), so
/// the last look is at this many times the bytes that routing looks at.
const LAST_LOOK_FACTOR: usize = 16;
/// Longest value that is of interest here: a UID.
const VALUE_BYTES_MAX: usize = 64;

/// The beginning of a data set.
#[derive(Debug)]
pub(crate) struct Peek {
    bytes: Vec<u8>,
    next_look: usize,
    last_look: usize,
    depth_max: usize,
}

impl Peek {
    /// Nothing yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let last_look = limits.header_bytes_max.saturating_mul(LAST_LOOK_FACTOR);
        let next_look = FIRST_LOOK_BYTES.min(last_look);
        Self { bytes: Vec::new(), next_look, last_look, depth_max: limits.sequence_depth_max }
    }

    /// Takes what arrived; looks whenever there is enough that is new.
    ///
    /// `None`: not known yet. Afterwards the peek is of no use any more.
    pub(crate) fn on_bytes(
        &mut self,
        arrived: &[u8],
        transfer_syntax: &TransferSyntaxUid,
    ) -> Result<Option<InstanceIdentity>, StoreFault> {
        let room = self.last_look.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(arrived.get(..room).unwrap_or(arrived));
        if self.bytes.len() < self.next_look {
            return Ok(None);
        }
        self.next_look = self.bytes.len().saturating_mul(LOOK_FACTOR).min(self.last_look);
        let is_last = self.bytes.len() >= self.last_look;
        self.look(transfer_syntax, is_last)
    }

    /// The data set has ended.
    pub(crate) fn on_end(
        &self,
        transfer_syntax: &TransferSyntaxUid,
    ) -> Result<InstanceIdentity, StoreFault> {
        let missing = || StoreFault::DataSetUid("Study, Series or SOP Instance UID");
        self.look(transfer_syntax, true)?.ok_or_else(missing)
    }

    fn look(
        &self,
        transfer_syntax: &TransferSyntaxUid,
        is_last: bool,
    ) -> Result<Option<InstanceIdentity>, StoreFault> {
        let limits = ReadLimits {
            bytes_max: self.last_look,
            depth_max: self.depth_max,
            value_bytes_max: VALUE_BYTES_MAX,
        };
        let encoding = Encoding::of(transfer_syntax);
        let prefix = dataset::read_prefix(&self.bytes, encoding, tags::STUDY_ID, &limits)
            .map_err(|error| StoreFault::Unreadable(error.to_string()))?;
        let is_all = matches!(prefix.end, End::Stopped { .. } | End::AtLimit);
        if is_all || is_last || prefix.data_set.contains(tags::SERIES_INSTANCE_UID) {
            return identity(&prefix, transfer_syntax).map(Some);
        }
        Ok(None)
    }
}

fn identity(
    prefix: &Prefix,
    transfer_syntax: &TransferSyntaxUid,
) -> Result<InstanceIdentity, StoreFault> {
    let text = |tag: Tag| prefix.data_set.text(tag).unwrap_or_default();
    let study = StudyInstanceUid::parse(&text(tags::STUDY_INSTANCE_UID));
    let series = SeriesInstanceUid::parse(&text(tags::SERIES_INSTANCE_UID));
    let sop_instance = SopInstanceUid::parse(&text(tags::SOP_INSTANCE_UID));
    let sop_class = SopClassUid::parse(&text(tags::SOP_CLASS_UID));
    Ok(InstanceIdentity {
        sop_class: sop_class.map_err(|_| StoreFault::DataSetUid("SOP Class UID"))?,
        sop_instance: sop_instance.map_err(|_| StoreFault::DataSetUid("SOP Instance UID"))?,
        study: study.map_err(|_| StoreFault::DataSetUid("Study Instance UID"))?,
        series: series.map_err(|_| StoreFault::DataSetUid("Series Instance UID"))?,
        transfer_syntax: transfer_syntax.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const EXPLICIT: &str = "1.2.840.10008.1.2.1";
    const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

    /// What becomes of the first 8 KiB of a private value so long, in front of all UIDs.
    fn look(length: u32, syntax: &str) -> Result<Option<InstanceIdentity>, StoreFault> {
        let mut bytes = b"\x09\0\x01\x10OB\0\0".to_vec();
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.resize(2 * FIRST_LOOK_BYTES, 0);
        if syntax == DEFLATED {
            let plain = flate2::Compression::none();
            let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), plain);
            deflater.write_all(&bytes).unwrap();
            bytes = deflater.finish().unwrap();
        }
        let mut peek = Peek::new(&Limits::default());
        let syntax = TransferSyntaxUid::parse(syntax).unwrap();
        peek.on_bytes(bytes.first_chunk::<FIRST_LOOK_BYTES>().unwrap(), &syntax)
    }

    #[test]
    fn a_value_that_reaches_beyond_the_last_look_is_not_waited_for() {
        for syntax in [EXPLICIT, DEFLATED] {
            assert_eq!(look(100_000, syntax), Ok(None), "{syntax}");
            let fault = look(1 << 30, syntax).unwrap_err();
            assert!(matches!(fault, StoreFault::DataSetUid(_)), "{syntax} {fault}");
        }
    }
}
