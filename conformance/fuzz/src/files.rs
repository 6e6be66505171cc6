//! A DICOM file as it lies in the spool: its header, what its header says of its pixels, and its first frame.

use std::fs;

use dataset::{FileHeader, ReadLimits, read_file_header, read_file_meta, tags};
use domain::{InstanceIdentity, SeriesInstanceUid, StudyInstanceUid};
use series::{Kept, SourceInstance};

/// Most samples of a frame that is decoded here: more take time and show nothing new.
const SAMPLES_MAX: i64 = 1 << 20;

/// Reads a file as the node does.
pub fn run(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir_in(in_memory()) else { return };
    let path = folder.path().join("file");
    if fs::write(&path, bytes).is_err() {
        return;
    }
    let limits = ReadLimits {
        bytes_max: 1 << 20,
        depth_max: 16,
        elements_max: 1 << 16,
        value_bytes_max: 1 << 16,
    };
    let meta = read_file_meta(&path);
    let Ok(header) = read_file_header(&path, &limits) else { return };
    assert_eq!(meta.ok().as_ref(), Some(&header.meta), "a header begins with its meta information");
    if let Some(instance) = instance(header, path) {
        drop(pixels::check_decodable(&instance));
        drop(pixels::check_color(&instance));
        if samples(&instance) <= SAMPLES_MAX {
            drop(pixels::stored_frame(&instance, instance.frame_count - 1));
        }
    }
}

/// Files are written where no disk is needed, if there is such a place.
pub(crate) fn in_memory() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn instance(header: FileHeader, path: std::path::PathBuf) -> Option<SourceInstance> {
    let text = |tag| header.data_set.text(tag).unwrap_or_default();
    let frames = header.data_set.int(tags::NUMBER_OF_FRAMES).unwrap_or(1).clamp(1, 1 << 16);
    Some(SourceInstance {
        identity: InstanceIdentity {
            study: StudyInstanceUid::parse(&text(tags::STUDY_INSTANCE_UID)).ok()?,
            series: SeriesInstanceUid::parse(&text(tags::SERIES_INSTANCE_UID)).ok()?,
            sop_instance: header.meta.sop_instance,
            sop_class: header.meta.sop_class,
            transfer_syntax: header.meta.transfer_syntax,
        },
        path,
        header: header.data_set,
        pixel_data: header.pixel_data,
        frame_count: usize::try_from(frames).ok()?,
        kept: Kept::default(),
    })
}

fn samples(instance: &SourceInstance) -> i64 {
    let number = |tag| instance.header.int(tag).unwrap_or(0);
    number(tags::ROWS).saturating_mul(number(tags::COLUMNS))
}
