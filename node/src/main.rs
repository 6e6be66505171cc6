//! The program `parsenode`: the command line, and what each command does. Nobody uses this crate.
//!
//! Read [`pipeline`] first: it is the way of the data, verb by verb.

mod ahead;
mod asking;
mod assembling;
mod backdrops;
mod bell;
mod blocking;
mod catalogue;
mod choices;
mod cli;
mod clock;
mod commitments;
mod committing;
mod delivering;
mod descriptors;
mod dialing;
mod explain;
mod failure;
mod files;
mod gating;
mod http;
mod in_hand;
mod jobs;
mod listen;
mod log;
mod model;
mod models;
mod outcome;
mod overlay;
mod passcode;
mod peer;
mod pipeline;
mod progress;
mod receive;
mod reporting;
mod route;
mod run;
mod security;
mod send;
mod serve;
mod settings;
mod show;
mod shutdown;
mod status;
mod text;
mod wanted;

/// Slices come and go by the megabyte, on threads that come and go with their series. This one keeps their memory; glibc's gives it
/// back each time, and the faults of asking anew are as long as the work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConfigCommand};
use crate::failure::{Failure, Fault};
use crate::security::Security;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misuse(&error),
    };
    match log_settings(&cli)
        .and_then(|(form, level)| log::start(&form, &level))
        .and_then(|()| run(&cli))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// Help and version are no faults; everything else that clap refuses is misuse, 64.
fn misuse(error: &clap::Error) -> ExitCode {
    drop(error.print());
    if error.use_stderr() { Fault::Misuse.into() } else { ExitCode::SUCCESS }
}

#[expect(clippy::print_stderr, reason = "the last words of the program, in case the log is off")]
fn report(failure: &Failure) -> ExitCode {
    eprintln!("parsenode: {failure}");
    failure.fault.into()
}

/// Form and level of the log: from the command line, else from the configuration of `serve`, else quiet text.
fn log_settings(cli: &Cli) -> Result<(String, String), Failure> {
    let (form, level) = match &cli.command {
        Command::Serve(args) => {
            let log = settings::load(&args.config)?.log;
            (log.format, log.level)
        }
        Command::Run(_)
        | Command::Send(_)
        | Command::Listen(_)
        | Command::Echo(_)
        | Command::Route(_)
        | Command::Config { .. }
        | Command::Model { .. }
        | Command::Catalogue { .. }
        | Command::Status(_)
        | Command::Show(_)
        | Command::Passcode(_) => ("text".into(), "warn".into()),
    };
    Ok((cli.log.clone().unwrap_or(form), cli.log_level.clone().unwrap_or(level)))
}

fn run(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Run(args) => run::run(args),
        Command::Send(args) => send::send(args),
        Command::Echo(args) => send::echo(args),
        Command::Listen(args) => listen::run(args),
        Command::Route(args) => route::run(args),
        Command::Config { command } => configuration(command),
        Command::Model { command } => model::run(command),
        Command::Catalogue { command } => catalogue::run(command),
        Command::Status(args) => status::run(args),
        Command::Show(args) => show::run(args),
        Command::Passcode(args) => passcode::run(args),
    }
}

fn configuration(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Example => text::print_line(config::EXAMPLE.trim_end()),
        ConfigCommand::Check { file } => {
            let config = settings::load(file)?;
            drop(Security::open(&config)?);
            let models = models::load_all(&config, &inference::LoadOptions::default())?;
            for line in explain::lines(&config, clock::now()) {
                text::print_line(&line)?;
            }
            let (rules, destinations) = (config.routing.rules.len(), config.destinations.len());
            text::print_line(&format!(
                "{}: {} models, {rules} rules, {destinations} destinations: no fault",
                file.display(),
                models.len()
            ))
        }
    }
}
