//! The way of the data, verb by verb. Whoever wants to know what parsenode does reads this file.
//!
//! | # | verb | takes → gives | here |
//! |---|---|---|---|
//! | 1, 2 | receive, spool | Association + C-STORE-RQ → `SpooledInstance` | [`crate::receive::SpoolIntake`], called by `scp` |
//! | 3 | assemble | `SpooledInstance`, `Moment` → `Series` | [`crate::assembling`], around `domain::Assembler` |
//! | 4 | route | `Series`, `RoutingTable` → jobs | [`route`] |
//! | 5 to 8 | preprocess, infer, postprocess, write | series + model → result instances | [`process`] |
//! | 9 | deliver | result instances + `Destination` → `Outcome`s | [`deliver`] |

use std::path::Path;

use domain::{
    After, Companions, Findings, RoutingTable, Rule, SegmentationForm, SegmentationKind,
    SeriesFacts, TransferSyntaxUid, Unsuitable, UnsuitableCode, Verdict,
};
use inference::{Model, Volume};
use scu::{Chosen, Offered, Route, ScuError, Timeouts};
use series::SourceSeries;
use sr_writer::{ResultSet, WriteContext};

use crate::{gating, overlay};

/// 4: what every rule says about a series, asked after the series or after its study.
pub(crate) fn route<'a>(
    facts: &SeriesFacts,
    table: &'a RoutingTable,
    after: After,
) -> Vec<(&'a Rule, Verdict)> {
    table.explain(facts, after)
}

/// What a model said about a series, and the instances that say so.
#[derive(Debug)]
pub(crate) struct Processed {
    /// The intensities on the source grid, for pictures.
    pub(crate) volume: Volume,
    /// What was found.
    pub(crate) findings: Findings,
    /// SEG and SR, in each form that was asked for and is another than those before it.
    pub(crate) results: Vec<(SegmentationForm, ResultSet)>,
}

/// What is to be written: for all destinations together.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Forms of the masks.
    pub(crate) forms: Vec<SegmentationForm>,
    /// What lies beside SEG and SR.
    pub(crate) companions: Companions,
}

/// 5 to 8: one model over one assembled series. Plain and synchronous; runs on a worker thread.
///
/// # Errors
/// [`Unsuitable`] when the series cannot be used or the model fails: quarantine, no retry.
pub(crate) fn process(
    model: &Model,
    source: &SourceSeries,
    wanted: &Wanted,
    context: impl Fn(SegmentationForm) -> WriteContext,
) -> Result<Processed, Unsuitable> {
    let volume = inference::read_volume(source)?;
    let fractional = wanted.forms.iter().any(|form| form.kind == SegmentationKind::Fractional);
    let input = inference::preprocess(model.manifest(), &volume, &source.modality)?
        .keeping_probabilities(fractional);
    let output = inference::infer(model, input)?;
    let findings = inference::postprocess(model, output, &volume)?;
    let mut results: Vec<(SegmentationForm, ResultSet)> = Vec::new();
    let pictures = wanted.companions.secondary_capture;
    let backdrops = if pictures { overlay::backdrops(&volume, &findings) } else { Vec::new() };
    for form in wanted.forms.iter().map(|form| sr_writer::effective_form(&findings, *form)) {
        if results.iter().all(|(written, _)| *written != form) {
            let context = WriteContext {
                form,
                companions: wanted.companions,
                backdrops: backdrops.clone(),
                ..context(form)
            };
            let set = sr_writer::write(&findings, source, &context)
                .map_err(|error| Unsuitable::new(UnsuitableCode::Unwritable, error.to_string()))?;
            gating::check(&set, &findings, source)?;
            results.push((form, set));
        }
    }
    Ok(Processed { volume, findings, results })
}

/// 9: one result set to one destination over one association, SEG before SR: the first of several forms, in the first of
/// several transfer syntaxes, that the destination accepts.
///
/// # Errors
/// [`ScuError`] when the connection or the association fails: to be tried again.
pub(crate) async fn deliver(
    to: Route<'_>,
    choices: &[Vec<Offered>],
    timeouts: &Timeouts,
) -> Result<Chosen, ScuError> {
    let recode = |path: &Path, syntax: &TransferSyntaxUid| {
        let file = std::fs::read(path).map_err(|error| error.to_string())?;
        sr_writer::recode_data_set(&file, syntax).map_err(|error| error.to_string())
    };
    scu::store_choice(to, choices, &recode, timeouts).await
}
