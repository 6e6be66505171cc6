//! One call of [`crate::write()`]: its input, checked, and what is derived from it at once.

use dataset::DataSet;
use domain::{Findings, InstanceIdentity, Intensity, Segment};
use series::SourceSeries;

use crate::iod::{CreatedAt, put_patient_and_study};
use crate::parts::{Parts, form_without_overlap, overlap};
use crate::seg::coded_slices;
use crate::text::{LO_MAX, ascii};
use crate::uids::ResultUids;
use crate::{LabelMapCoding, SegmentationForm, SegmentationKind, WriteContext, WriteError};

/// Findings and source that fit together.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) findings: &'a Findings,
    pub(crate) source: &'a SourceSeries,
    pub(crate) context: &'a WriteContext,
    /// Header of the first source instance: patient, study and equipment are read from it.
    pub(crate) header: &'a DataSet,
    pub(crate) uids: ResultUids,
    pub(crate) created: CreatedAt,
    /// The form in which the masks are written: what was asked for, as far as the findings allow.
    pub(crate) form: SegmentationForm,
    /// Whether any voxel belongs to more than one segment.
    pub(crate) overlap: bool,
    /// Of a label map in RLE Lossless, its slices.
    pub(crate) coded_slices: Option<Vec<Vec<u8>>>,
    /// Which segments are in which Segmentation.
    pub(crate) parts: Parts,
    /// Tracking Identifier of each segment: its label, with its number where labels are alike.
    pub(crate) tracking_identifiers: Vec<String>,
}

impl<'a> Work<'a> {
    /// Checks everything that the writers rely on.
    pub(crate) fn new(
        findings: &'a Findings,
        source: &'a SourceSeries,
        context: &'a WriteContext,
    ) -> Result<Self, WriteError> {
        let header = check_source(source)?;
        for segment in &findings.segments {
            check_mask(segment, source.grid.size())?;
            check_probabilities(segment)?;
            check_measurements(segment)?;
        }
        let mut copied = DataSet::new();
        put_patient_and_study(&mut copied, header, &source.study);
        let (overlap, coded_slices) = coded_or_overlap(findings, source.grid.size(), context);
        let form = form_without_overlap(findings, context.form, || overlap);
        let uids = ResultUids::new(source, findings, form, &copied);
        Ok(Self {
            parts: Parts::new(source, findings, form, context.label_maps, &uids)?,
            coded_slices: coded_slices.filter(|_| form.kind == SegmentationKind::Labelmap),
            form,
            overlap,
            findings,
            source,
            context,
            header,
            uids,
            created: CreatedAt::new(context.created, header),
            tracking_identifiers: tracking_identifiers(&findings.segments),
        })
    }
}

impl Work<'_> {
    /// The Segmentation that has a segment, and the Segment Number there.
    pub(crate) fn segment(&self, index: usize) -> (&InstanceIdentity, u16) {
        self.parts.of_segment(index)
    }
}

/// Whether segments overlap, and the slices of a label map in RLE Lossless, whose painting answers that on the way.
fn coded_or_overlap(
    findings: &Findings,
    size: [usize; 3],
    context: &WriteContext,
) -> (bool, Option<Vec<Vec<u8>>>) {
    let is_label_map = context.form.kind == SegmentationKind::Labelmap;
    let can_be_numbered = findings.segments.len() <= usize::from(u16::MAX);
    if is_label_map && can_be_numbered && context.label_maps == LabelMapCoding::Rle {
        let coded = coded_slices(findings, size);
        (coded.is_none(), coded)
    } else {
        (overlap(findings), None)
    }
}

fn check_source(source: &SourceSeries) -> Result<&DataSet, WriteError> {
    let (slices, expected) = (source.slices.len(), source.grid.size()[2]);
    match source.instances.first() {
        Some(first) if slices == expected => Ok(&first.header),
        _ => Err(WriteError::SourceIncomplete { slices, expected }),
    }
}

fn check_mask(segment: &Segment, source_size: [usize; 3]) -> Result<(), WriteError> {
    let label = || segment.target.label.clone();
    let mask = [segment.mask.columns, segment.mask.rows, segment.mask.slices.len()];
    if mask != source_size {
        return Err(WriteError::MaskOffGrid { label: label(), mask, source_size });
    }
    let expected = (mask[0] * mask[1]).div_ceil(8);
    let wrong = |slice: &domain::SliceMask| slice.bits.len() != expected;
    let slices = segment.mask.slices.iter().enumerate();
    if let Some((k, slice)) =
        slices.filter_map(|(k, slice)| Some((k, slice.as_ref()?))).find(|(_, s)| wrong(s))
    {
        let bytes = slice.bits.len();
        return Err(WriteError::MaskBytes { label: label(), k, bytes, expected });
    }
    if segment.mask.slices.iter().all(Option::is_none) {
        return Err(WriteError::EmptySegment { label: label() });
    }
    Ok(())
}

/// Probabilities have one byte a pixel.
fn check_probabilities(segment: &Segment) -> Result<(), WriteError> {
    let Some(probabilities) = &segment.probabilities else { return Ok(()) };
    let pixels = segment.mask.columns * segment.mask.rows;
    let fits = |slice: &Option<Vec<u8>>| slice.as_ref().is_none_or(|values| values.len() == pixels);
    let slices = &probabilities.slices;
    if slices.len() == segment.mask.slices.len() && slices.iter().all(fits) {
        Ok(())
    } else {
        Err(WriteError::ProbabilitiesOffGrid { label: segment.target.label.clone() })
    }
}

fn check_measurements(segment: &Segment) -> Result<(), WriteError> {
    let measured = &segment.measurements;
    let intensities = measured.intensity.iter().flat_map(|intensity| {
        let Intensity { mean, standard_deviation, minimum, maximum, median, .. } = *intensity;
        [mean, standard_deviation, minimum, maximum, median]
    });
    let confidence = segment.confidence.map_or(0.0, |confidence| confidence.0);
    let mut all = measured.extent.values().chain(intensities).chain([confidence]);
    if all.all(f64::is_finite) {
        Ok(())
    } else {
        Err(WriteError::NotFinite { label: segment.target.label.clone() })
    }
}

fn tracking_identifiers(segments: &[Segment]) -> Vec<String> {
    let same = |label: &str| segments.iter().filter(|s| s.target.label == label).count();
    let identifier = |(index, segment): (usize, &Segment)| {
        let label = ascii(&segment.target.label, LO_MAX);
        if same(&segment.target.label) == 1 && !label.is_empty() {
            label
        } else {
            format!("{label} {}", index + 1).trim_start().to_owned()
        }
    };
    segments.iter().enumerate().map(identifier).collect()
}
