//! `parsenode show`: a SEG as a table of segments, an SR as a tree.

use std::fs;

use crate::cli::ShowArgs;
use crate::failure::{Failure, Fault, OrFail};
use crate::text;

/// Runs the command.
pub(crate) fn run(args: &ShowArgs) -> Result<(), Failure> {
    let on = || args.file.display().to_string();
    let bytes = fs::read(&args.file).or_fail(Fault::Input, on)?;
    let shown = sr_writer::show(&bytes).or_fail(Fault::Input, on)?;
    text::print_line(shown.trim_end())
}
