//! A door for what measures prompts from outside this crate: `examples/prompt_speed.rs`. No interface; nothing else may come in
//! here.

use std::time::Duration;

use domain::{Findings, Unsuitable};
use series::SourceSeries;

use super::asker::{Answers, Asker, Between, Planes};
use super::engine::SliceName;
use super::findings::{Gathered, gather};
use super::judged::Judged;
use super::questions::Questions;
use super::shot::{Pixels, Shot};
use crate::model::Model;
use crate::picture::{Scale, series_range};
use crate::scores::Next;
use crate::volume::{read_volume, sha256_of};

/// How long each stage of an answer takes, one after the other on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages {
    /// Files to values.
    pub read: Duration,
    /// Values to pictures.
    pub picture: Duration,
    /// The image encoder.
    pub encode: Duration,
    /// The mask decoder.
    pub decode: Duration,
    /// Logits to masks, and their measurements slice by slice.
    pub judge: Duration,
    /// Masks to findings.
    pub gather: Duration,
}

/// Answers slice by slice without any overlap, and takes the time by a clock of the caller's.
///
/// # Errors
/// Those of [`crate::answer`].
pub fn stages(
    model: &Model,
    source: &SourceSeries,
    questions: &Questions,
    clock: &dyn Fn() -> Duration,
) -> Result<(Stages, Findings), Unsuitable> {
    let (engine, _) = model.prompting()?;
    let [columns, rows, count] = source.grid.size();
    let asker = Asker::new(engine, questions, [columns, rows], false)?;
    let mut stages = Stages::default();
    let range = range(&asker, source)?;
    let (mut shots, mut planes): (Vec<Shot>, Vec<Planes>) = (Vec::new(), Vec::new());
    let mut slices = Vec::new();
    for k in 0..count {
        // One slice ahead, and its values go with its measurements, as in an answer.
        while shots.len() < count.min(k + 2) {
            let began = clock();
            let shot = Shot::take(&source.slices[shots.len()], [columns, rows], &asker.looks)?;
            let read = clock();
            planes.push(asker.planes(&shot, range));
            shots.push(shot);
            stages.read += read - began;
            stages.picture += clock() - read;
        }
        let began = clock();
        let before = k.checked_sub(1).map(|k| &planes[k]);
        let three = Between { this: &planes[k], previous: before, next: planes.get(k + 1) };
        let pictures = asker.show(&shots[k], three);
        let shown = clock();
        let (mut raw, slice) = (Answers::default(), SliceName::of(&source.slices[k]));
        let mut encoded = Duration::ZERO;
        for (look, picture) in pictures.iter().enumerate() {
            let began = clock();
            let features = asker.encode(picture, Next::after(k, count))?;
            encoded += clock() - began;
            asker.decode(look, &features, (slice, Next::after(k, count)), &mut raw)?;
        }
        let asked = clock();
        let pictures: Vec<Vec<u8>> = pictures.into_iter().map(|shown| shown.rgb).collect();
        let answer = asker.judge(asker.in_order(raw)?, &pictures)?;
        slices.push(Judged::new(answer, &shots[k].take_values(), columns, k));
        stages.picture += shown - began;
        stages.encode += encoded;
        stages.decode += asked - shown - encoded;
        stages.judge += clock() - asked;
    }
    let began = clock();
    let findings = gathered(model, source, questions, (&shots, slices));
    stages.gather = clock() - began;
    Ok((stages, findings))
}

/// The range of the series, where slices are shown in it. In no stage: it is read at once.
fn range(asker: &Asker<'_>, source: &SourceSeries) -> Result<Option<Scale>, Unsuitable> {
    let [columns, rows, _] = source.grid.size();
    let Some(first) = source.slices.first() else { return Ok(None) };
    if !asker.needs_series(&Shot::take(first, [columns, rows], &asker.looks)?) {
        return Ok(None);
    }
    let (low, high) = series_range(&read_volume(source)?.values);
    Ok(Some(Scale::Range { low, high }))
}

fn gathered(
    model: &Model,
    source: &SourceSeries,
    questions: &Questions,
    (shots, slices): (&[Shot], Vec<Judged>),
) -> Findings {
    let digests: Vec<[u8; 32]> = shots.iter().map(|shot| shot.digest).collect();
    let input_sha256 = sha256_of(&source.grid, &digests);
    let is_grey = shots.iter().all(|shot| matches!(shot.pixels, Pixels::Grey { .. }));
    let gathered = Gathered { slices, input_sha256, unit: is_grey.then_some(source.unit) };
    gather(model.manifest().identity(), questions, &source.grid, gathered)
}
