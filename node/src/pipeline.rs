//! The way of the data, verb by verb. Whoever wants to know what parsenode does reads this file.
//!
//! | # | verb | takes → gives | here |
//! |---|---|---|---|
//! | 1, 2 | receive, spool | Association + C-STORE-RQ → `SpooledInstance` | [`crate::receive::SpoolIntake`], called by `scp` |
//! | 3 | assemble | `SpooledInstance`, `Moment` → `Series` | [`crate::assembling`], around `domain::Assembler` |
//! | 4 | route | `Series`, `RoutingTable` → jobs | [`route`] |
//! | 5 to 8 | preprocess, infer, postprocess, write | series + model + question → result instances | [`process`] |
//! | 9 | deliver | result instances + `Destination` → `Outcome`s | [`deliver`] |

use std::path::Path;

use domain::{
    After, Ask, Findings, RoutingTable, Rule, SegmentationForm, SeriesFacts, TransferSyntaxUid,
    Unsuitable, UnsuitableCode, Verdict,
};
use inference::{AnswerOptions, Kind, Model, Question, SliceAnswers, Volume};
use scu::{Chosen, Offered, Route, ScuError, Timeouts};
use series::SourceSeries;
use sr_writer::{Backdrop, ResultSet, WriteContext};

use crate::backdrops::backdrops;
use crate::clock;
use crate::gating;
use crate::wanted::Wanted;

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
    /// Chosen slices as people see them, where pictures are wanted.
    pub(crate) backdrops: Vec<Backdrop>,
    /// What was found.
    pub(crate) findings: Findings,
    /// What a promptable model was asked; empty for others.
    pub(crate) questions: Vec<Question>,
    /// SEG and SR, in each form that was asked for and is another than those before it.
    pub(crate) results: Vec<(SegmentationForm, ResultSet)>,
}

/// Who is asked what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    /// Who.
    pub(crate) model: &'a Model,
    /// What; the default for a model that takes no prompts.
    pub(crate) ask: &'a Ask,
    /// Answers to single slices that were made while the series arrived.
    pub(crate) ahead: Option<&'a SliceAnswers>,
}

/// 5 to 8: one model over one assembled series. Plain and synchronous; runs on a worker thread.
///
/// # Errors
/// [`Unsuitable`] when the series cannot be used, the question cannot be asked of it, or the model fails: quarantine, no retry.
pub(crate) fn process(
    inquiry: &Inquiry<'_>,
    source: &SourceSeries,
    wanted: &Wanted,
    context: impl Fn(SegmentationForm) -> WriteContext,
) -> Result<Processed, Unsuitable> {
    let began = clock::now();
    let probabilities = wanted.has_probabilities();
    let Answer { volume, findings, questions } = if takes_prompts(inquiry) {
        asked(inquiry, source, probabilities)?
    } else {
        labelled(inquiry.model, source, probabilities)?
    };
    let found = clock::now();
    let pictures = wanted.has_pictures();
    let shown = pictures.then(|| backdrops(&volume, &findings, source)).transpose()?;
    let backdrops = shown.unwrap_or_default();
    drop(volume);
    let results = write(&findings, source, wanted, |form| WriteContext {
        form,
        companions: wanted.companions,
        backdrops: backdrops.clone(),
        ..context(form)
    })?;
    let findings_millis = found.since(began).as_millis();
    let results_millis = clock::now().since(found).as_millis();
    tracing::info!(findings_millis, results_millis, "processed");
    Ok(Processed { backdrops, findings, questions, results })
}

/// What comes of verbs 5 to 7.
struct Answer {
    volume: Volume,
    findings: Findings,
    questions: Vec<Question>,
}

/// A question to a model that takes none is refused by the model.
fn takes_prompts(inquiry: &Inquiry<'_>) -> bool {
    inquiry.model.kind() == Kind::Prompt || !inquiry.ask.is_default()
}

/// 5 to 7 of a model that is asked: the words are understood for these images, then put to the model slice by slice.
fn asked(
    inquiry: &Inquiry<'_>,
    source: &SourceSeries,
    keep_probabilities: bool,
) -> Result<Answer, Unsuitable> {
    let Inquiry { model, ask, ahead } = *inquiry;
    let none = || Unsuitable::new(UnsuitableCode::TooFewSlices, "no instances");
    let first = source.instances.first().ok_or_else(none)?;
    let questions = model.understand(ask, &first.header)?;
    for line in questions.log_lines() {
        tracing::info!("{line}");
    }
    let options = AnswerOptions { keep_probabilities, ahead };
    let (volume, findings) = inference::answer(model, source, &questions, options)?;
    Ok(Answer { volume, findings, questions: questions.list().to_vec() })
}

/// 5 to 7 of a model that always looks for the same.
fn labelled(
    model: &Model,
    source: &SourceSeries,
    keep_probabilities: bool,
) -> Result<Answer, Unsuitable> {
    let volume = inference::read_volume(source)?;
    let input = inference::preprocess(model.manifest(), &volume, &source.modality)?
        .keeping_probabilities(keep_probabilities);
    let output = inference::infer(model, input)?;
    let findings = inference::postprocess(model, output, &volume)?;
    Ok(Answer { volume, findings, questions: vec![] })
}

/// 8: the results in each form that is wanted, and past the gate.
fn write(
    findings: &Findings,
    source: &SourceSeries,
    wanted: &Wanted,
    context: impl Fn(SegmentationForm) -> WriteContext,
) -> Result<Vec<(SegmentationForm, ResultSet)>, Unsuitable> {
    let mut results: Vec<(SegmentationForm, ResultSet)> = Vec::new();
    for form in wanted.forms.iter().map(|form| sr_writer::effective_form(findings, *form)) {
        if results.iter().all(|(written, _)| *written != form) {
            let set = sr_writer::write(findings, source, &context(form))
                .map_err(|error| Unsuitable::new(UnsuitableCode::Unwritable, error.to_string()))?;
            gating::check(&set, findings, source)?;
            results.push((form, set));
        }
    }
    Ok(results)
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
