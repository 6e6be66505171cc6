//! Answers in turn with another program: a line of prompts in, separated by tabs, a line of JSON with what it took out.
//!
//! Asked is one slice of a CT, from its file to findings, with everything between. A line names its side in pixels first, then
//! the CT window of all prompts, so that they are about one picture.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::Instant;

use domain::{Ask, Instead, Vocabulary};
use inference::{AnswerOptions, Model};
use series::SourceSeries;

use super::{Done, body, peak_kib};

/// Takes turns until there are no more.
pub(crate) fn take(model: &Model) -> Done {
    let files = tempfile::tempdir()?;
    println!("{{\"ready\": true}}");
    for line in stdin().lock().lines() {
        let line = line?;
        let mut words = line.split('\t');
        let pixels = words.next().ok_or("a size is wanted")?.parse()?;
        let window = Some(words.next().ok_or("a window is wanted")?.to_owned());
        body::write(files.path(), 1, pixels)?;
        let source = body::source(files.path(), 1)?;
        let prompts = words.map(str::to_owned).collect();
        let instead = Instead { window, ..Instead::default() };
        turn(model, &source, &Ask { prompts, instead, ..open() })?;
    }
    Ok(())
}

/// Any words, and nothing is held against a mask.
fn open() -> Ask {
    Ask { vocabulary: Vocabulary::Open, p_least: Some(0.0), ..Ask::default() }
}

fn turn(model: &Model, source: &SourceSeries, ask: &Ask) -> Done {
    let (began, before) = (Instant::now(), processor_s()?);
    let questions = model.understand(ask, &source.instances[0].header)?;
    let (_, findings) = inference::answer(model, source, &questions, AnswerOptions::default())?;
    let (wall, processor) = (began.elapsed().as_secs_f64(), processor_s()? - before);
    let (peak, found) = (peak_kib()? as f64 / 1e6 * 1.024, findings.segments.len());
    println!(
        "{{\"wall\": {wall}, \"processor\": {processor}, \"peak\": {peak}, \"found\": {found}}}"
    );
    stdout().flush()?;
    Ok(())
}

/// Seconds of processor that this process took, in ticks of a hundredth (proc(5)).
fn processor_s() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?.1;
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
