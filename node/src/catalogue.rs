//! `parsenode catalogue`: what promptable models know, as text.

use ::catalogue::{find_text, list_text};

use crate::cli::CatalogueCommand;
use crate::failure::{Failure, Fault, OrFail};
use crate::text;

/// Runs the command.
pub(crate) fn run(command: &CatalogueCommand) -> Result<(), Failure> {
    let shown = match command {
        CatalogueCommand::List => list_text(),
        CatalogueCommand::Find { words } => {
            let words = words.join(" ");
            find_text(&words).or_fail(Fault::Input, || words.as_str())?
        }
    };
    text::print_line(shown.trim_end())
}
