//! Between writing and sending: our own rules over every set of results.

use dataset::tags;
use domain::{Findings, Unsuitable, UnsuitableCode};
use gate::{Evidence, Fault, SourceImage};
use series::{SourceInstance, SourceSeries};
use sr_writer::ResultSet;

/// Holds a set of results against its source; each fault is logged and counted.
///
/// # Errors
/// [`UnsuitableCode::RefusedByGate`] with the first fault and how many there are.
pub(crate) fn check(
    results: &ResultSet,
    findings: &Findings,
    source: &SourceSeries,
) -> Result<(), Unsuitable> {
    let faults = faults(results, findings, source);
    for fault in &faults {
        metrics::counter!("parsenode_gate_faults_total", "rule" => fault.rule).increment(1);
        tracing::error!(
            rule = fault.rule,
            sop_instance = fault.sop_instance,
            path = fault.path,
            "{}",
            fault.detail
        );
    }
    let Some(first) = faults.first() else { return Ok(()) };
    let detail = format!("{first}; {} in all", faults.len());
    Err(Unsuitable::new(UnsuitableCode::RefusedByGate, detail))
}

fn faults(results: &ResultSet, findings: &Findings, source: &SourceSeries) -> Vec<Fault> {
    let images: Vec<SourceImage> =
        source.instances.iter().map(|instance| image(instance, source)).collect();
    let [columns, rows, _] = source.grid.size();
    let known_code = |value: &str, scheme: &str, meaning: &str| {
        sr_writer::is_known_code(findings, value, scheme, meaning)
    };
    let evidence = Evidence {
        images: &images,
        frame_of_reference: source.place.as_ref().map(|place| &place.frame_of_reference),
        size: [columns, rows],
        known_code: &known_code,
    };
    let files: Vec<&[u8]> = results.instances().map(|result| result.file.as_slice()).collect();
    gate::check(&files, &evidence)
}

fn image(instance: &SourceInstance, source: &SourceSeries) -> SourceImage {
    let uid = &instance.identity.sop_instance;
    let own = source.slices.iter().filter(|slice| slice.instance.identity.sop_instance == *uid);
    let mut placed: Vec<(usize, [f64; 3])> =
        own.filter_map(|slice| Some((slice.frame_index, slice.position.as_ref()?.mm))).collect();
    placed.sort_by_key(|(frame, _)| *frame);
    let is_multi_frame = instance.header.contains(tags::NUMBER_OF_FRAMES);
    SourceImage {
        identity: instance.identity.clone(),
        frames: u32::try_from(instance.frame_count).ok().filter(|_| is_multi_frame),
        positions_mm: placed.into_iter().map(|(_, mm)| mm).collect(),
    }
}
