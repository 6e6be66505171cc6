//! Result UIDs, derived from what the results stand for (PS3.5 §B.2).

use dataset::{DataSet, encode};
use domain::{Findings, SeriesInstanceUid, SopInstanceUid, UidError, derive_uid};
use series::SourceSeries;

use crate::SegmentationForm;

/// The UIDs of one answer: they depend on the source instances (in any order), on what is in them (patient, study and the
/// values that the model was given), on the model's hash and the settings, on the form of the masks, and on nothing else.
#[derive(Debug)]
pub(crate) struct ResultUids {
    base: String,
    device: String,
    form: String,
}

impl ResultUids {
    /// The UIDs of the answer `findings` to `source`.
    pub(crate) fn new(
        source: &SourceSeries,
        findings: &Findings,
        form: SegmentationForm,
        copied: &DataSet,
    ) -> Self {
        let mut parts: Vec<&str> =
            source.instances.iter().map(|i| i.identity.sop_instance.as_str()).collect();
        parts.sort_unstable();
        let settings = findings.parameters.join("\n");
        let copied: String = encode(copied).into_iter().map(char::from).collect();
        parts.extend(["copied", &copied, "input", &findings.input_sha256]);
        parts.extend(["model", &findings.model.sha256, "parameters", &settings]);
        let device = derive_uid(&["device", &findings.model.sha256]);
        Self { base: derive_uid(&parts), device, form: form.to_string() }
    }

    /// Series Instance UID of the Segmentation.
    pub(crate) fn segmentation_series(&self) -> Result<SeriesInstanceUid, UidError> {
        SeriesInstanceUid::parse(&self.role("segmentation series"))
    }

    /// SOP Instance UID of part `part` of the Segmentation, from 0.
    pub(crate) fn segmentation(&self, part: usize) -> Result<SopInstanceUid, UidError> {
        SopInstanceUid::parse(&self.role(&format!("segmentation {part}")))
    }

    /// Series Instance UID of the report.
    pub(crate) fn report_series(&self) -> Result<SeriesInstanceUid, UidError> {
        SeriesInstanceUid::parse(&self.role("report series"))
    }

    /// SOP Instance UID of the report.
    pub(crate) fn report(&self) -> Result<SopInstanceUid, UidError> {
        SopInstanceUid::parse(&self.role("report"))
    }

    /// Dimension Organization UID of the Segmentation.
    pub(crate) fn dimension_organization(&self) -> String {
        self.role("dimension organization")
    }

    /// Tracking UID of a finding, in SEG and SR alike and whatever their form.
    pub(crate) fn segment_tracking(&self, number: usize) -> String {
        derive_uid(&[&self.base, &format!("segment {number}")])
    }

    /// Tracking UID of a box of a finding.
    pub(crate) fn box_tracking(&self, segment: usize, number: usize) -> String {
        derive_uid(&[&self.base, &format!("segment {segment} box {number}")])
    }

    /// UID of a companion: of its series, 0, or of its instances, from 1. A list of key objects refers to results in their form.
    pub(crate) fn companion(&self, word: &str, number: usize) -> String {
        self.role(&format!("{word} {number}"))
    }

    /// Device UID of this node running this model: the same for every series.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    fn role(&self, role: &str) -> String {
        derive_uid(&[&self.base, role, &self.form])
    }
}
