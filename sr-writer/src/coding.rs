//! Every coded concept that results carry beside those of the findings, in one table (PS3.16; meanings as its context groups
//! and templates spell them).

use dataset::DataSet;
use domain::{CodedConcept, Findings, Tag};

use crate::tags;
use crate::text::{LO_MAX, ascii};

/// A concept of the table: Code Value, Coding Scheme Designator, Code Meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

impl Code {
    /// The same as a noun of the domain.
    pub(crate) fn concept(self) -> CodedConcept {
        CodedConcept::new(self.0, self.1, self.2)
    }
}

macro_rules! table {
    ($($name:ident = ($value:literal, $scheme:literal, $meaning:literal);)*) => {
        $(pub(crate) const $name: Code = Code($value, $scheme, $meaning);)*
        /// The whole table.
        const ALL: &[Code] = &[$($name),*];
    };
}

table! {
    // Derivation and purposes of reference (CID 7203, 7202, 7005)
    SEGMENTATION = ("113076", "DCM", "Segmentation");
    SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation");
    ACQUISITION_EQUIPMENT = ("109101", "DCM", "Acquisition Equipment");
    PROCESSING_EQUIPMENT = ("109102", "DCM", "Processing Equipment");
    // Root of the report (TID 1500, CID 7021, CID 100)
    IMAGING_MEASUREMENT_REPORT = ("126000", "DCM", "Imaging Measurement Report");
    PROCEDURE_REPORTED = ("121058", "DCM", "Procedure reported");
    IMAGING_PROCEDURE = ("363679005", "SCT", "Imaging procedure");
    IMAGING_MEASUREMENTS = ("126010", "DCM", "Imaging Measurements");
    // Language (TID 1204)
    LANGUAGE = ("121049", "DCM", "Language of Content Item and Descendants");
    // Observation context (TID 1001, TID 1004)
    OBSERVER_TYPE = ("121005", "DCM", "Observer Type");
    DEVICE = ("121007", "DCM", "Device");
    DEVICE_OBSERVER_UID = ("121012", "DCM", "Device Observer UID");
    DEVICE_OBSERVER_NAME = ("121013", "DCM", "Device Observer Name");
    DEVICE_OBSERVER_MANUFACTURER = ("121014", "DCM", "Device Observer Manufacturer");
    DEVICE_OBSERVER_MODEL_NAME = ("121015", "DCM", "Device Observer Model Name");
    DEVICE_OBSERVER_SERIAL_NUMBER = ("121016", "DCM", "Device Observer Serial Number");
    // Image library (TID 1600, TID 1602 and what it includes)
    IMAGE_LIBRARY = ("111028", "DCM", "Image Library");
    IMAGE_LIBRARY_GROUP = ("126200", "DCM", "Image Library Group");
    MODALITY = ("121139", "DCM", "Modality");
    FRAME_OF_REFERENCE_UID = ("112227", "DCM", "Frame of Reference UID");
    PIXEL_DATA_ROWS = ("110910", "DCM", "Pixel Data Rows");
    PIXEL_DATA_COLUMNS = ("110911", "DCM", "Pixel Data Columns");
    HORIZONTAL_PIXEL_SPACING = ("111026", "DCM", "Horizontal Pixel Spacing");
    VERTICAL_PIXEL_SPACING = ("111066", "DCM", "Vertical Pixel Spacing");
    SPACING_BETWEEN_SLICES = ("112226", "DCM", "Spacing between slices");
    // Measurement groups (TID 1410, TID 1411)
    IMAGE_REGION = ("111030", "DCM", "Image Region");
    GEOMETRIC_PURPOSE = ("130400", "DCM", "Geometric purpose of region");
    BOUNDED_BY = ("75958009", "SCT", "Bounded by");
    REFERENCED_SEGMENTATION_FRAME = ("121214", "DCM", "Referenced Segmentation Frame");
    SOURCE_IMAGE_FOR_SEGMENTATION = ("121233", "DCM", "Source image for segmentation");
    COMMENT = ("121106", "DCM", "Comment");
    MEASUREMENT_GROUP = ("125007", "DCM", "Measurement Group");
    TRACKING_IDENTIFIER = ("112039", "DCM", "Tracking Identifier");
    TRACKING_UNIQUE_IDENTIFIER = ("112040", "DCM", "Tracking Unique Identifier");
    FINDING_CATEGORY = ("276214006", "SCT", "Finding category");
    FINDING = ("121071", "DCM", "Finding");
    REFERENCED_SEGMENT = ("121191", "DCM", "Referenced Segment");
    SOURCE_SERIES = ("121232", "DCM", "Source series for segmentation");
    FINDING_SITE = ("363698007", "SCT", "Finding Site");
    LATERALITY = ("272741003", "SCT", "Laterality");
    // What is absent (TID 1500 rows 12 and 13, CID 240)
    ABSENT = ("272519000", "SCT", "Absent");
    // Algorithm identification (TID 4019, CID 7162)
    ALGORITHM_NAME = ("111001", "DCM", "Algorithm Name");
    ALGORITHM_VERSION = ("111003", "DCM", "Algorithm Version");
    ALGORITHM_PARAMETERS = ("111002", "DCM", "Algorithm Parameters");
    ALGORITHM_MANUFACTURER = ("122405", "DCM", "Algorithm Manufacturer");
    ALGORITHM_FAMILY = ("111000", "DCM", "Algorithm Family");
    ARTIFICIAL_INTELLIGENCE = ("123110", "DCM", "Artificial Intelligence");
    // Measurements (TID 1419; CID 7469, 7472, 7474, 7470, 7464, 7180)
    VOLUME = ("118565006", "SCT", "Volume");
    MEASUREMENT_METHOD = ("370129005", "SCT", "Measurement Method");
    VOXEL_SUMMATION = ("126030", "DCM", "Sum of segmented voxel method for volume");
    DERIVATION = ("121401", "DCM", "Derivation");
    MEAN = ("373098007", "SCT", "Mean");
    STANDARD_DEVIATION = ("386136009", "SCT", "Standard Deviation");
    MINIMUM = ("255605001", "SCT", "Minimum");
    MAXIMUM = ("56851009", "SCT", "Maximum");
    MEDIAN = ("373099004", "SCT", "Median");
    AREA = ("42798000", "SCT", "Area");
    LONG_AXIS = ("103339001", "SCT", "Long Axis");
    SHORT_AXIS = ("103340004", "SCT", "Short Axis");
    MAXIMUM_3D_DIAMETER = ("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh");
    SURFACE_AREA = ("C0JK", "IBSI", "Surface Area of Mesh");
    ATTENUATION = ("112031", "DCM", "Attenuation Coefficient");
    MR_SIGNAL = ("110852", "DCM", "MR signal intensity");
    NM_ACTIVITY = ("110821", "DCM", "Nuclear Medicine Tomographic Activity");
    ECHOGENICITY = ("110849", "DCM", "Echogenicity");
    WIDTH = ("103355008", "SCT", "Width");
    HEIGHT = ("121207", "DCM", "Height");
    DEPTH = ("131197000", "SCT", "Depth");
    CERTAINTY = ("111012", "DCM", "Certainty of Finding");
    // Label maps (CID 7150)
    BACKGROUND = ("125040", "DCM", "Background");
    // Key objects (TID 2010, CID 7010)
    OF_INTEREST = ("113000", "DCM", "Of Interest");
    REJECTED_FOR_QUALITY_REASONS = ("113001", "DCM", "Rejected for Quality Reasons");
    DOCUMENT_TITLE_MODIFIER = ("113011", "DCM", "Document Title Modifier");
    OTHER_FAILURE = ("111220", "DCM", "Other failure");
    KEY_OBJECT_DESCRIPTION = ("113012", "DCM", "Key Object Description");
    // Codes of findings that are told apart
    ANATOMICAL_STRUCTURE = ("91723000", "SCT", "Anatomical Structure");
    BODY_STRUCTURE = ("123037004", "SCT", "Anatomical Structure");
}

macro_rules! outside {
    ($($name:ident = ($value:literal, $scheme:literal, $meaning:literal);)*) => {
        $(pub(crate) const $name: Code = Code($value, $scheme, $meaning);)*
        /// What those dictionaries do not have.
        const OUTSIDE: &[Code] = &[$($name),*];
    };
}

// Units (UCUM), the language (RFC 5646) and a concept of UMLS are not in those dictionaries.
outside! {
    QUALITATIVE_EVALUATIONS = ("C0034375", "UMLS", "Qualitative Evaluations");
    ENGLISH = ("en-US", "RFC5646", "English (United States)");
    CUBIC_CENTIMETRE = ("cm3", "UCUM", "cubic centimeter");
    SQUARE_MILLIMETRE = ("mm2", "UCUM", "square millimeter");
    MILLIMETRE = ("mm", "UCUM", "millimeter");
    HOUNSFIELD = ("[hnsf'U]", "UCUM", "Hounsfield unit");
    NO_UNITS = ("1", "UCUM", "no units");
    PERCENT = ("%", "UCUM", "Percent");
    PIXELS = ("{pixels}", "UCUM", "pixels");
}

/// Modalities (CID 29) that have volumes or may come to have them.
const MODALITIES: &[Code] = &[
    Code("CT", "DCM", "Computed Tomography"),
    Code("MR", "DCM", "Magnetic Resonance"),
    Code("PT", "DCM", "Positron emission tomography"),
    Code("NM", "DCM", "Nuclear Medicine"),
    Code("US", "DCM", "Ultrasound"),
    Code("XA", "DCM", "X-Ray Angiography"),
    Code("RF", "DCM", "Radiofluoroscopy"),
    Code("MG", "DCM", "Mammography"),
    Code("DX", "DCM", "Digital Radiography"),
    Code("CR", "DCM", "Computed Radiography"),
    Code("OPT", "DCM", "Ophthalmic Tomography"),
    Code("OCT", "DCM", "Optical Coherence Tomography"),
    Code("IVUS", "DCM", "Intravascular Ultrasound"),
    Code("IVOCT", "DCM", "Intravascular Optical Coherence Tomography"),
    Code("OP", "DCM", "Ophthalmic Photography"),
    Code("ES", "DCM", "Endoscopy"),
    Code("GM", "DCM", "General Microscopy"),
    Code("SM", "DCM", "Slide Microscopy"),
    Code("XC", "DCM", "External-camera Photography"),
];

/// The concept of a Modality (0008,0060); one that CID 29 does not have is written with itself as its meaning, none as OT.
pub(crate) fn modality(modality: &str) -> CodedConcept {
    if modality.is_empty() {
        return CodedConcept::new("OT", "DCM", "Other");
    }
    let known = MODALITIES.iter().find(|code| code.0 == modality);
    known.map_or_else(|| CodedConcept::new(modality, "DCM", modality), |code| code.concept())
}

/// Whether results of these findings may carry a code triple: it is in the table, or it is one of their targets'.
#[must_use]
pub fn is_known_code(findings: &Findings, value: &str, scheme: &str, meaning: &str) -> bool {
    let is_it = |code: &&Code| (code.0, code.1, code.2) == (value, scheme, meaning);
    let in_table = ALL.iter().chain(OUTSIDE).chain(MODALITIES).any(|code| is_it(&code));
    let absent = findings.absent.iter().map(|absent| &absent.target);
    let targets = findings.segments.iter().map(|segment| &segment.target).chain(absent);
    let of_targets = targets.flat_map(|target| {
        let (side, region) = (target.laterality.iter(), target.anatomic_region.iter());
        [&target.category, &target.property_type].into_iter().chain(side).chain(region)
    });
    let in_targets = |concept: &CodedConcept| {
        concept.value == value
            && concept.scheme == scheme
            && ascii(&concept.meaning, LO_MAX) == meaning
    };
    // A modality that CID 29 does not have is written with itself as its meaning.
    in_table || of_targets.into_iter().any(in_targets) || (scheme == "DCM" && value == meaning)
}

/// An item of a Code Sequence (PS3.3 Table 8.8-1). A value that SH cannot hold goes to Long Code Value.
pub(crate) fn code_item(concept: &CodedConcept) -> DataSet {
    use dataset::Vr;
    let mut item = DataSet::new();
    let value = ascii(&concept.value, LO_MAX);
    if value.len() <= 16 {
        item.put_text(tags::CODE_VALUE, Vr::SH, &value);
    } else {
        item.put_text(tags::LONG_CODE_VALUE, Vr::UC, &value);
    }
    item.put_text(tags::CODING_SCHEME_DESIGNATOR, Vr::SH, &ascii(&concept.scheme, 16));
    item.put_text(tags::CODE_MEANING, Vr::LO, &ascii(&concept.meaning, LO_MAX));
    item
}

/// Puts a Code Sequence of one item.
pub(crate) fn put_code(set: &mut DataSet, tag: Tag, concept: &CodedConcept) {
    set.put_items(tag, vec![code_item(concept)]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    #[test]
    fn each_concept_stands_once_and_fits_its_attributes() {
        let mut seen = BTreeSet::new();
        for code in ALL.iter().chain(MODALITIES) {
            assert!(seen.insert((code.0, code.1)), "{code:?} twice");
            assert!(code.0.len() <= 16 && code.1.len() <= 16 && code.2.len() <= 64, "{code:?}");
        }
    }

    #[test]
    fn long_values_and_unknown_modalities() {
        let long = CodedConcept::new("12345678901234567", "SCT", "Long");
        let item = code_item(&long);
        assert_eq!(item.text(tags::LONG_CODE_VALUE).as_deref(), Some("12345678901234567"));
        assert!(!item.contains(tags::CODE_VALUE));
        assert_eq!(modality("CT").meaning, "Computed Tomography");
        assert_eq!(modality("ZZ").value, "ZZ");
    }

    /// Prints the triples that pydicom's dictionaries do not have with this meaning.
    const LOOK_UP: &str = r"
import sys
from pydicom.sr._concepts_dict import concepts
known = {}
for scheme, keywords in concepts.items():
    for codes in keywords.values():
        for code, (meaning, _) in codes.items():
            known.setdefault((code, scheme), set()).add(meaning.lower())
for line in sys.stdin:
    code, scheme, meaning = line.rstrip('\n').split('\t')
    if meaning.lower() not in known.get((code, scheme), ()):
        print(code, scheme, meaning, 'but pydicom has', known.get((code, scheme)))
";

    /// Meanings that PS3.16 spells otherwise than pydicom's dictionaries, which take some from SNOMED CT.
    const SPELT_OTHERWISE: &[&str] = &["276214006", "91723000", "123037004"];

    #[test]
    fn pydicom_knows_every_concept() {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/validators");
        let folder = std::env::var_os("PARSENODE_VALIDATORS").map_or(built, PathBuf::from);
        let python = folder.join("venv/bin/python");
        if !python.is_file() {
            println!("SKIPPED: no {}, concepts are not looked up", python.display());
            return;
        }
        let table = ALL.iter().chain(MODALITIES);
        let lines: String =
            table.map(|code| format!("{}\t{}\t{}\n", code.0, code.1, code.2)).collect();
        let folder_of_input = tempfile::tempdir().unwrap();
        let input = folder_of_input.path().join("codes");
        std::fs::write(&input, lines).unwrap();
        let output = Command::new(python)
            .args(["-c", LOOK_UP])
            .stdin(std::fs::File::open(&input).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let expected = |line: &&str| !SPELT_OTHERWISE.iter().any(|code| line.starts_with(code));
        let unknown: Vec<_> = text.lines().filter(expected).collect();
        assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    }
}
