//! `parsenode passcode`: a line for the file of passcodes. The passcode is typed or piped, never an argument.

use std::io::{self, BufRead, IsTerminal as _};

use domain::Secret;

use crate::cli::PasscodeArgs;
use crate::failure::{Failure, Fault, OrFail};
use crate::text;

/// Runs the command.
pub(crate) fn run(args: &PasscodeArgs) -> Result<(), Failure> {
    let on = || "the passcode";
    let passcode = if io::stdin().is_terminal() {
        let first = rpassword::prompt_password("passcode: ").or_fail(Fault::Input, on)?;
        let again = rpassword::prompt_password("again: ").or_fail(Fault::Input, on)?;
        if first != again {
            return Err(Failure::new(Fault::Input, "the two are not the same"));
        }
        first
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).or_fail(Fault::Input, on)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let secret = Secret::new(passcode.into_bytes());
    text::print_line(&trust::passcode_line(&args.name, &secret).or_fail(Fault::Misuse, on)?)
}
