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

    /// Takes what arrived, as far as it is needed; looks whenever there is enough that is new.
    ///
    /// `None`: not known yet. Afterwards the peek is of no use any more.
    pub(crate) fn on_bytes(
        &mut self,
        arrived: &[u8],
        transfer_syntax: &TransferSyntaxUid,
    ) -> Result<Option<InstanceIdentity>, StoreFault> {
        let mut rest = arrived;
        loop {
            let wanted = self.next_look.saturating_sub(self.bytes.len()).min(rest.len());
            let (taken, left) = rest.split_at(wanted);
            self.bytes.extend_from_slice(taken);
            if taken.is_empty() || self.bytes.len() < self.next_look {
                return Ok(None);
            }
            self.next_look = self.bytes.len().saturating_mul(LOOK_FACTOR).min(self.last_look);
            let is_last = self.bytes.len() >= self.last_look;
            if let Some(identity) = self.look(transfer_syntax, is_last)? {
                return Ok(Some(identity));
            }
            rest = left;
        }
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
            elements_max: self.last_look,
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

    const SYNTAX: &str = "1.2.840.10008.1.2.1";

    /// An element of VR UI, SH or LO in Explicit VR Little Endian.
    fn element(tag: [u8; 4], vr: &[u8; 2], value: &str) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap().to_le_bytes();
        [&tag, vr.as_slice(), &length, value.as_bytes()].concat()
    }

    /// The UIDs behind so many bytes of other elements, then 200 KB more.
    fn data_set(before: usize) -> Vec<u8> {
        let mut bytes = element([8, 0, 0x16, 0], b"UI", "1.23");
        bytes.extend(element([8, 0, 0x18, 0], b"UI", "1.25"));
        for _ in 0..before / 1000 {
            bytes.extend(element([8, 0, 0x80, 0], b"LO", &"x".repeat(992)));
        }
        bytes.extend(element([0x20, 0, 0x0D, 0], b"UI", "1.21"));
        bytes.extend(element([0x20, 0, 0x0E, 0], b"UI", "1.22"));
        bytes.extend(element([0x20, 0, 0x10, 0], b"SH", "12"));
        bytes.resize(bytes.len() + 200_000, 0);
        bytes
    }

    #[test]
    fn only_what_is_looked_at_is_kept() {
        let syntax = TransferSyntaxUid::parse(SYNTAX).unwrap();
        for (before, kept) in [(0, 8192), (20_000, 32_768)] {
            let mut peek = Peek::new(&Limits::default());
            let identity = peek.on_bytes(&data_set(before), &syntax).unwrap().unwrap();
            assert_eq!((identity.series.as_str(), peek.bytes.len()), ("1.22", kept));
        }
    }

    #[test]
    fn one_byte_at_a_time_is_known_at_the_same_byte() {
        let syntax = TransferSyntaxUid::parse(SYNTAX).unwrap();
        let (mut peek, bytes) = (Peek::new(&Limits::default()), data_set(20_000));
        let known = bytes
            .iter()
            .position(|byte| peek.on_bytes(std::slice::from_ref(byte), &syntax).unwrap().is_some());
        assert_eq!(known, Some(32_767));
    }

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
        for syntax in [SYNTAX, DEFLATED] {
            assert_eq!(look(100_000, syntax), Ok(None), "{syntax}");
            let fault = look(1 << 30, syntax).unwrap_err();
            assert!(matches!(fault, StoreFault::DataSetUid(_)), "{syntax} {fault}");
        }
    }
}
