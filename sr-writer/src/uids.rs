//! Result UIDs, derived from what the results stand for (PS3.5 §B.2).

use domain::{Findings, SeriesInstanceUid, SopInstanceUid, UidError, derive_uid};
use series::SourceSeries;

/// The UIDs of one answer: they depend on the source instances (in any order), the model's hash and the settings, and
/// on nothing else.
#[derive(Debug)]
pub(crate) struct ResultUids {
    base: String,
    device: String,
}

impl ResultUids {
    /// The UIDs of the answer `findings` to `source`.
    pub(crate) fn new(source: &SourceSeries, findings: &Findings) -> Self {
        let mut parts: Vec<&str> =
            source.instances.iter().map(|i| i.identity.sop_instance.as_str()).collect();
        parts.sort_unstable();
        let settings = findings.parameters.join("\n");
        parts.extend(["model", &findings.model.sha256, "parameters", &settings]);
        let device = derive_uid(&["device", &findings.model.sha256]);
        Self { base: derive_uid(&parts), device }
    }

    /// Series Instance UID of the Segmentation.
    pub(crate) fn segmentation_series(&self) -> Result<SeriesInstanceUid, UidError> {
        SeriesInstanceUid::parse(&self.role("segmentation series"))
    }

    /// SOP Instance UID of the Segmentation.
    pub(crate) fn segmentation(&self) -> Result<SopInstanceUid, UidError> {
        SopInstanceUid::parse(&self.role("segmentation"))
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

    /// Tracking UID of a segment, in SEG and SR alike.
    pub(crate) fn segment_tracking(&self, number: usize) -> String {
        self.role(&format!("segment {number}"))
    }

    /// Device UID of this node running this model: the same for every series.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    fn role(&self, role: &str) -> String {
        derive_uid(&[&self.base, role])
    }
}
