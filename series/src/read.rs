//! Files to instances.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{
    DataSet, ELEMENTS_MAX, FileError, FileHeader, ReadLimits, Value, read_file_header, tags,
};
use domain::{
    InstanceIdentity, Limits, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    Tag, UidError, Unsuitable, UnsuitableCode,
};

use thiserror::Error;

use crate::{Kept, SourceInstance};

/// Longest header, in bytes: per-frame functional groups of some thousand frames take tens of megabytes.
/// A longer one is unreadable.
const HEADER_BYTES_MAX: usize = 256 << 20;
/// Longest value that is kept, in bytes; a Modality LUT of 65,536 entries fits.
const VALUE_BYTES_MAX: usize = 256 << 10;
/// Longest private value that is kept, in bytes: some scanners put 100 KiB into each slice.
const PRIVATE_VALUE_BYTES_MAX: usize = 1 << 10;

/// Memory that the headers of a series may take, in bytes: 20,000 instances of 100 KiB each, and most have 10. Beyond it a series is
/// too-large.
const SERIES_BYTES_MAX: usize = 2 << 30;
/// Memory of a data set or an item beside its elements, roughly, in bytes.
const SET_BYTES: usize = 512;
/// Memory of an element beside its value, roughly, in bytes.
const ELEMENT_BYTES: usize = 64;

/// Why headers were not read. As an [`Unsuitable`] both are of the images, for whoever does not try again.
#[derive(Debug, Error)]
pub enum ReadFault {
    /// It is of the images: the same files end the same way.
    #[error(transparent)]
    Images(#[from] Unsuitable),
    /// It is of the system: no descriptors, no memory, a disk that does not answer. Another try may end otherwise.
    #[error("{}: cannot be read: {source}", path.display())]
    System {
        /// What was read.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl From<ReadFault> for Unsuitable {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Images(unsuitable) => unsuitable,
            ReadFault::System { .. } => Self::new(UnsuitableCode::Unreadable, fault.to_string()),
        }
    }
}

/// Reads the headers of files. Any DICOM is taken: no geometry, no pixels are asked for.
///
/// # Errors
/// [`UnsuitableCode::TooLarge`] for more files than `series_instances_max`, and for headers that together take more than 2 GiB of
/// memory; [`UnsuitableCode::Unreadable`] for the first file that is not there, is no DICOM file, is cut off, nests too deeply,
/// has too many elements or lacks one of its UIDs; [`UnsuitableCode::PixelFormat`] for a Number of Frames that is none.
/// [`ReadFault::System`] for the first file that is there and that the system does not let us read.
pub fn read_instances(
    paths: &[PathBuf],
    limits: &Limits,
) -> Result<Vec<Arc<SourceInstance>>, ReadFault> {
    let (count, most) = (paths.len(), limits.series_instances_max);
    if count > most {
        let detail = format!("{count} instances, {most} are allowed");
        return Err(Unsuitable::new(UnsuitableCode::TooLarge, detail).into());
    }
    let limits = ReadLimits {
        bytes_max: HEADER_BYTES_MAX,
        depth_max: limits.sequence_depth_max,
        elements_max: ELEMENTS_MAX,
        value_bytes_max: VALUE_BYTES_MAX,
    };
    let mut room = Room(SERIES_BYTES_MAX);
    let read = |path: &PathBuf| {
        let instance = read_instance(path, &limits)?;
        room.take(&instance.header)?;
        Ok(Arc::new(instance))
    };
    paths.iter().map(read).collect()
}

/// Memory that is left for headers, in bytes.
struct Room(usize);

impl Room {
    fn take(&mut self, header: &DataSet) -> Result<(), Unsuitable> {
        let Some(left) = self.0.checked_sub(memory_bytes(header)) else {
            let detail = format!("headers of more than {SERIES_BYTES_MAX} bytes in memory");
            return Err(Unsuitable::new(UnsuitableCode::TooLarge, detail));
        };
        self.0 = left;
        Ok(())
    }
}

fn memory_bytes(set: &DataSet) -> usize {
    let of = |value: &Value| match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Items(items) => items.iter().map(memory_bytes).sum(),
    };
    SET_BYTES + set.iter().map(|(_, element)| ELEMENT_BYTES + of(&element.value)).sum::<usize>()
}

fn read_instance(path: &Path, limits: &ReadLimits) -> Result<SourceInstance, ReadFault> {
    let header = read_file_header(path, limits).map_err(|error| fault(path, error))?;
    let identity = identity(&header).map_err(|detail| unreadable(path, &detail))?;
    let FileHeader { mut data_set, pixel_data, .. } = header;
    leave_out_what_nobody_asks_for(&mut data_set);
    let frame_count = frame_count(&data_set).ok_or_else(|| {
        let detail = format!("{}: Number of Frames is no count", identity.sop_instance);
        Unsuitable::new(UnsuitableCode::PixelFormat, detail)
    })?;
    Ok(SourceInstance {
        identity,
        path: path.to_owned(),
        header: data_set,
        pixel_data,
        frame_count,
        kept: Kept::default(),
    })
}

/// Number of Frames; 1 when absent, empty or 0, `None` when it is something else.
fn frame_count(set: &DataSet) -> Option<usize> {
    let count = set.checked_int(tags::NUMBER_OF_FRAMES).ok()?.unwrap_or(1);
    usize::try_from(count).ok().map(|count| count.max(1))
}

/// A file that is not there will not be there another time either.
fn fault(path: &Path, error: FileError) -> ReadFault {
    let detail = error.to_string();
    if let FileError::Io(source) = error
        && source.kind() != io::ErrorKind::NotFound
    {
        return ReadFault::System { path: path.to_owned(), source };
    }
    unreadable(path, &detail).into()
}

fn unreadable(path: &Path, detail: &str) -> Unsuitable {
    let path = path.display().to_string();
    // Some errors name their file already.
    let detail =
        if detail.contains(&path) { detail.to_owned() } else { format!("{path}: {detail}") };
    Unsuitable::new(UnsuitableCode::Unreadable, detail)
}

/// The identity is in the data set; what it does not say of itself, File Meta Information says.
fn identity(header: &FileHeader) -> Result<InstanceIdentity, String> {
    let (set, meta) = (&header.data_set, &header.meta);
    let study = uid(set, tags::STUDY_INSTANCE_UID, "Study Instance UID", StudyInstanceUid::parse)?;
    let series =
        uid(set, tags::SERIES_INSTANCE_UID, "Series Instance UID", SeriesInstanceUid::parse)?;
    let sop_instance = set.text(tags::SOP_INSTANCE_UID);
    let sop_class = set.text(tags::SOP_CLASS_UID);
    Ok(InstanceIdentity {
        study: study.ok_or("Study Instance UID is absent")?,
        series: series.ok_or("Series Instance UID is absent")?,
        sop_instance: sop_instance
            .and_then(|text| SopInstanceUid::parse(&text).ok())
            .unwrap_or_else(|| meta.sop_instance.clone()),
        sop_class: sop_class
            .and_then(|text| SopClassUid::parse(&text).ok())
            .unwrap_or_else(|| meta.sop_class.clone()),
        transfer_syntax: meta.transfer_syntax.clone(),
    })
}

fn uid<T>(
    set: &DataSet,
    tag: Tag,
    name: &str,
    parse: fn(&str) -> Result<T, UidError>,
) -> Result<Option<T>, String> {
    let Some(text) = set.text(tag).filter(|text| !text.is_empty()) else { return Ok(None) };
    parse(&text).map(Some).map_err(|fault| format!("{name}: {fault}"))
}

/// A series of 20,000 instances has to fit into memory header by header.
fn leave_out_what_nobody_asks_for(set: &mut DataSet) {
    let long = |value: &Value| match value {
        Value::Bytes(bytes) => bytes.len() > PRIVATE_VALUE_BYTES_MAX,
        Value::Items(_) => true,
    };
    let unwanted: Vec<Tag> = set
        .iter()
        .filter(|(tag, element)| tag.is_private() && long(&element.value))
        .map(|(tag, _)| *tag)
        .chain([tags::ICON_IMAGE_SEQUENCE])
        .collect();
    for tag in unwanted {
        set.remove(tag);
    }
}

#[cfg(test)]
mod tests {
    use dataset::Vr;

    use super::*;

    #[test]
    fn frames_are_counted_or_refused() {
        let count = |text: &str| {
            let mut header = DataSet::new();
            header.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, text);
            frame_count(&header)
        };
        assert_eq!(frame_count(&DataSet::new()), Some(1));
        assert_eq!([count(""), count("0"), count("20 ")], [Some(1), Some(1), Some(20)]);
        assert_eq!([count("20 x"), count("-1"), count("1.5"), count("1e300")], [None; 4]);
    }

    #[test]
    fn headers_take_memory_item_by_item_until_none_is_left() {
        let mut header = DataSet::new();
        header.put_bytes(tags::IMAGE_COMMENTS, Vr::LT, vec![b'x'; 1_000]);
        header.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![DataSet::new(); 3]);
        let bytes = memory_bytes(&header);
        assert_eq!(bytes, 4 * SET_BYTES + 2 * ELEMENT_BYTES + 1_000);
        let mut room = Room(2 * bytes + 1);
        assert_eq!(room.take(&header), Ok(()));
        assert_eq!(room.take(&header), Ok(()));
        assert_eq!(room.take(&header).unwrap_err().code, UnsuitableCode::TooLarge);
    }
}
