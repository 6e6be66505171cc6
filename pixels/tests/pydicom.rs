//! Every file with pixels that comes with pydicom and pydicom-data, frame by frame against the decoders that pydicom uses.
//!
//! Stored values are compared, before any colour or modality transformation. Equal means equal; for lossy transfer syntaxes, whose decoders
//! round differently, it means at most one grey level from at least one of pydicom's decoders. The table says how far from each.
//! First frames as people see them are compared too: RGB, or grey levels through VOI LUT and window. One level is allowed for rounding,
//! [`SHOWN_LOSSY`] for colours of lossy frames.
//! Python is `PARSENODE_PYTHON` or that of `cargo xtask test`, with pydicom, pydicom-data, pylibjpeg[all], pyjpegls and python-gdcm.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod python;
mod slices;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use dataset::{ReadLimits, read_file_header, tags};
use domain::{InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid};
use pixels::{StoredFrame, StoredValues, Window};
use series::{Kept, SourceInstance};

/// Files that give no pixels: how their name ends, and how the reason begins. All others are equal.
const REFUSED: [(&str, &str); 5] = [
    ("MR_truncated.dcm", "truncated-pixels: "),
    // No Media Storage SOP Class UID.
    ("meta_missing_tsyntax.dcm", "unreadable: "),
    ("nested_priv_SQ.dcm", "unreadable: "),
    // An implicit data set that says it is explicit.
    ("SC_rgb_jpeg.dcm", "unreadable: data set: "),
    // The code stream's own size is overwritten; nobody decodes it.
    ("JPEG2000-embedded-sequence-delimiter.dcm", "unreadable: "),
];

/// Transfer syntaxes whose decoders may round differently: JPEG Baseline and Extended, JPEG 2000.
const LOSSY: [&str; 3] =
    ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91"];

/// One level of Y, Cb and Cr are up to three of R, G and B.
const SHOWN_LOSSY: f64 = 3.0;

/// An instance as the node reads it, except that files without UIDs are welcome.
fn instance(path: &Path) -> Result<Arc<SourceInstance>, String> {
    let limits = ReadLimits {
        bytes_max: 64 << 20,
        depth_max: 16,
        elements_max: 1 << 20,
        value_bytes_max: 1 << 20,
    };
    let file = read_file_header(path, &limits).map_err(|error| format!("unreadable: {error}"))?;
    let frames = file.data_set.int(tags::NUMBER_OF_FRAMES).unwrap_or(1);
    Ok(Arc::new(SourceInstance {
        identity: InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").unwrap(),
            series: SeriesInstanceUid::parse("1.2").unwrap(),
            sop_instance: SopInstanceUid::parse("1.3").unwrap(),
            sop_class: SopClassUid::parse("1.4").unwrap(),
            transfer_syntax: file.meta.transfer_syntax,
        },
        path: path.to_owned(),
        header: file.data_set,
        pixel_data: file.pixel_data,
        frame_count: usize::try_from(frames).unwrap().max(1),
        kept: Kept::default(),
    }))
}

/// A line of `files.tsv`.
struct Line<'a> {
    path: &'a Path,
    syntax: &'a str,
    photometric: &'a str,
    bits: &'a str,
    frames: usize,
    arrays: Vec<Array<'a>>,
    shown: Option<Array<'a>>,
}

/// What one of pydicom's decoders made of a file.
struct Array<'a> {
    name: &'a str,
    kind: &'a str,
    photometric: &'a str,
    file: &'a Path,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, syntax, photometric, bits, frames, ref decoders @ ..] = fields[..] else {
            panic!("{line}")
        };
        let arrays = decoders.iter().filter_map(|decoder| Array::parse(decoder));
        let (shown, arrays): (Vec<_>, Vec<_>) = arrays.partition(|array| array.name == "shown");
        let shown = shown.into_iter().next();
        let frames = frames.parse().unwrap_or(1);
        Self { path: Path::new(path), syntax, photometric, bits, frames, arrays, shown }
    }

    fn name(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    /// Largest difference over all frames from each array; or why there are no frames.
    fn differences(&self) -> Result<Vec<f64>, String> {
        let instance = instance(self.path)?;
        let mut files: Vec<BufReader<File>> = self
            .arrays
            .iter()
            .map(|array| BufReader::new(File::open(array.file).unwrap()))
            .collect();
        let mut differences = vec![0.0; self.arrays.len()];
        for index in 0..self.frames {
            let frame =
                pixels::stored_frame(&instance, index).map_err(|reason| reason.to_string())?;
            assert!(self.agrees(&frame), "{}: {}", self.name(), frame.photometric);
            for ((array, file), most) in self.arrays.iter().zip(&mut files).zip(&mut differences) {
                *most = f64::max(*most, array.difference(file, &frame));
            }
        }
        // Arrays have no frame that we do not have.
        assert!(files.iter_mut().all(|file| file.read(&mut [0]).unwrap() == 0), "{}", self.name());
        Ok(differences)
    }

    /// Largest difference of the first frame as people see it.
    fn shown_difference(&self, shown: &Array<'_>) -> f64 {
        let instance = instance(self.path).unwrap();
        let levels = if shown.photometric == "RGB" {
            pixels::check_color(&instance).unwrap();
            pixels::color_frame(&instance, 0).unwrap().rgb
        } else {
            let number = |tag| instance.header.number(tag);
            let slope = number(tags::RESCALE_SLOPE).unwrap_or(1.0);
            let intercept = number(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
            let slice = slices::slice_of(instance.as_ref().clone(), 0, slope, intercept);
            let window = Window::of(&slice).unwrap().unwrap();
            let side = |tag| usize::try_from(instance.header.int(tag).unwrap()).unwrap();
            let grid = slices::grid(side(tags::COLUMNS), side(tags::ROWS));
            assert_eq!(
                pixels::slice_values(&slice, grid).unwrap().len(),
                grid.iter().product::<usize>()
            );
            pixels::display_frame(&slice, &window).unwrap().levels
        };
        let theirs = std::fs::read(shown.file).unwrap();
        assert_eq!(levels.len(), theirs.len(), "{}", self.name());
        let off = levels.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b));
        off.max().map_or(f64::INFINITY, f64::from)
    }

    /// Whether all say the same of the colours. Those of pairs are those of each pixel once they are decoded.
    fn agrees(&self, frame: &StoredFrame) -> bool {
        let same = |theirs: &str| theirs.trim_end_matches("_422") == frame.photometric.as_str();
        self.arrays.iter().all(|array| same(array.photometric))
    }

    fn tolerance(&self) -> f64 {
        if LOSSY.contains(&self.syntax) { 1.0 } else { 0.0 }
    }

    /// The last columns of the table, and whether it is as it should be.
    fn outcome(&self) -> (String, bool) {
        let refusal = REFUSED.iter().find(|(name, _)| *name == self.name());
        match (self.differences(), refusal) {
            (Err(reason), Some((_, wanted))) => {
                (format!("refused: {reason}"), reason.starts_with(wanted))
            }
            (Err(reason), None) => (format!("REFUSED: {reason}"), false),
            (Ok(differences), None) if differences.is_empty() => {
                ("read, not by pydicom".into(), true)
            }
            (Ok(differences), refusal) => {
                let told = self.arrays.iter().zip(&differences);
                let told: Vec<String> =
                    told.map(|(array, most)| format!("{} {most}", array.name)).collect();
                let nearest = differences.iter().copied().fold(f64::INFINITY, f64::min);
                let shown = self.shown.as_ref().map(|shown| self.shown_difference(shown));
                let shown_tolerance = if self.tolerance() > 0.0 { SHOWN_LOSSY } else { 1.0 };
                let is_equal = nearest <= self.tolerance()
                    && shown.is_none_or(|most| most <= shown_tolerance)
                    && refusal.is_none();
                let word = if is_equal { "equal" } else { "DIFFERENT" };
                let shown = shown.map_or(String::new(), |most| format!("; shown {most}"));
                (format!("{word} ({}{shown})", told.join(", ")), is_equal)
            }
        }
    }
}

impl<'a> Array<'a> {
    fn parse(decoder: &'a str) -> Option<Self> {
        let fields: Vec<&str> = decoder.split('=').collect();
        let [name, kind, photometric, file] = fields[..] else { return None };
        Some(Self { name, kind, photometric, file: Path::new(file) })
    }

    /// Largest difference of the next frame of `file`; infinite for another type.
    fn difference(&self, file: &mut impl Read, frame: &StoredFrame) -> f64 {
        macro_rules! difference {
            ($kind:literal, $type:ty, $values:expr) => {{
                let mut bytes = vec![0; $values.len() * size_of::<$type>()];
                file.read_exact(&mut bytes).unwrap();
                let theirs = bytes.as_chunks::<{ size_of::<$type>() }>().0.iter().copied();
                let pairs = $values.iter().zip(theirs.map(<$type>::from_le_bytes));
                let off = pairs.map(|(a, b)| (f64::from(*a) - f64::from(b)).abs());
                if self.kind == $kind { off.fold(0.0, f64::max) } else { f64::INFINITY }
            }};
        }
        match &frame.values {
            StoredValues::U8(values) => difference!("u1", u8, values),
            StoredValues::I8(values) => difference!("i1", i8, values),
            StoredValues::U16(values) => difference!("u2", u16, values),
            StoredValues::I16(values) => difference!("i2", i16, values),
            StoredValues::U32(values) => difference!("u4", u32, values),
            StoredValues::I32(values) => difference!("i4", i32, values),
            StoredValues::F32(values) => difference!("f4", f32, values),
            StoredValues::F64(values) => difference!("f8", f64, values),
        }
    }
}

#[test]
fn every_frame_is_what_pydicom_reads_or_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    if !python::ran("frames.py", folder.path()) {
        return;
    }
    let table = std::fs::read_to_string(folder.path().join("files.tsv")).unwrap();
    let mut faults = Vec::new();
    println!("file | transfer syntax | photometric | allocated/stored/sign | frames | outcome");
    for line in table.lines().map(Line::parse) {
        let (outcome, is_good) = line.outcome();
        let Line { syntax, photometric, bits, frames, .. } = &line;
        let row =
            format!("{} | {syntax} | {photometric} | {bits} | {frames} | {outcome}", line.name());
        println!("{row}");
        if !is_good {
            faults.push(row);
        }
    }
    println!("{} files", table.lines().count());
    assert!(table.lines().count() > 90, "fewer files than pydicom has");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
