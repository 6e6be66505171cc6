//! How long the networks take for a series of files, with nothing beside them: a line of JSON, in seconds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::{Ask, Limits};
use inference::Model;
use inference::prompt_door::{Stages, stages};
use series::SourceSeries;

use super::Done;

/// Asks for targets, all stages one after the other.
pub(crate) fn print(model: &Model, folder: &Path, targets: &[String]) -> Done {
    let source = source(folder)?;
    let ask = Ask { targets: targets.to_vec(), ..Ask::default() };
    let questions = model.understand(&ask, &source.instances[0].header)?;
    let began = Instant::now();
    let (found, _) = stages(model, &source, &questions, &|| began.elapsed())?;
    println!("{}", line(&found));
    Ok(())
}

fn line(found: &Stages) -> String {
    let Stages { read, picture, encode, decode, judge, gather } = *found;
    let stages = [("read", read), ("picture", picture), ("encode", encode), ("decode", decode)];
    let stages = stages.into_iter().chain([("judge", judge), ("gather", gather)]);
    let numbers = stages.map(|(name, took)| format!("\"{name}\": {}", took.as_secs_f64()));
    format!("{{{}}}", numbers.collect::<Vec<_>>().join(", "))
}

/// The one series of a folder.
fn source(folder: &Path) -> Result<SourceSeries, Box<dyn Error>> {
    let files = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = files.collect::<Result<Vec<PathBuf>, _>>()?;
    paths.sort();
    let limits = Limits::default();
    Ok(series::assemble(&series::read_instances(&paths, &limits)?, &limits)?)
}
