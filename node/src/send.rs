//! `parsenode send` and `parsenode echo`.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AeTitle, Destination, Limits};
use scu::{Outcome, Outgoing, Route, Timeouts};
use serde::Serialize;

use crate::cli::{EchoArgs, SendArgs};
use crate::failure::{Failure, Fault, OrFail};
use crate::files;
use crate::progress::Progress;
use crate::text;

/// What became of one instance.
#[derive(Debug, Serialize)]
struct Row {
    sop_instance: String,
    outcome: String,
}

fn timeouts() -> Timeouts {
    Timeouts { connect: Duration::from_secs(10), io: Duration::from_secs(60) }
}

fn title(text: &str) -> Result<AeTitle, Failure> {
    AeTitle::parse(text).or_fail(Fault::Misuse, || format!("--calling {text}"))
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.or_fail(Fault::Internal, || "tokio")?.block_on(work)
}

/// Runs `echo`.
pub(crate) fn echo(args: &EchoArgs) -> Result<(), Failure> {
    let to = args.to.destination(title(&args.calling)?);
    let security = args.dialing.to(&args.to)?;
    let route = Route { to: &to, security: Some(&security) };
    block_on(async {
        scu::echo(route, &timeouts()).await.or_fail(Fault::Unavailable, || address(&to))?;
        text::print_line(&format!("{} answers", address(&to)))
    })
}

fn address(to: &Destination) -> String {
    format!("{}@{}:{}", to.called, to.host, to.port)
}

/// Runs `send`.
pub(crate) fn send(args: &SendArgs) -> Result<(), Failure> {
    let to = args.to.destination(title(&args.calling)?);
    let security = args.dialing.to(&args.to)?;
    let found = files::read(&args.paths, &Limits::default())?;
    for (path, reason) in &found.skipped {
        tracing::warn!("skipped {}: {reason}", path.display());
    }
    let outgoing: Vec<Outgoing> = found
        .series
        .values()
        .flatten()
        .map(|instance| Outgoing {
            identity: instance.identity.clone(),
            path: instance.path.clone(),
        })
        .collect();
    let route = Route { to: &to, security: Some(&security) };
    let outcomes = block_on(store(route, &outgoing))?;
    report(args, &to, &outgoing, &outcomes)
}

async fn store(route: Route<'_>, outgoing: &[Outgoing]) -> Result<Vec<Outcome>, Failure> {
    let progress = Progress::steps(&format!("sending to {}", address(route.to)), outgoing.len());
    let outcomes = scu::store(route, outgoing, &timeouts(), &mut |_, _| progress.step()).await;
    progress.finish();
    outcomes.or_fail(Fault::Unavailable, || address(route.to))
}

fn report(
    args: &SendArgs,
    to: &Destination,
    outgoing: &[Outgoing],
    outcomes: &[Outcome],
) -> Result<(), Failure> {
    let rows: Vec<Row> = outgoing
        .iter()
        .zip(outcomes)
        .map(|(instance, outcome)| Row {
            sop_instance: instance.identity.sop_instance.to_string(),
            outcome: outcome_text(outcome),
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(&row.outcome).or_default() += 1;
    }
    if args.json {
        text::print_json(&rows)?;
    } else {
        for (outcome, count) in &counts {
            text::print_line(&format!("{count} {outcome} at {}", address(to)))?;
        }
    }
    let stored =
        |outcome: &Outcome| matches!(outcome, Outcome::Stored | Outcome::StoredWithWarning(_));
    let failed = outcomes.iter().filter(|outcome| !stored(outcome)).count();
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::new(Fault::Unavailable, format!("{failed} not stored")))
    }
}

fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stored => "stored".into(),
        Outcome::StoredWithWarning(status) => format!("stored with warning {status:04X}"),
        Outcome::Refused { status, comment } => {
            format!("refused with {status:04X} {comment}").trim_end().into()
        }
        Outcome::NotAccepted => "without an accepted presentation context".into(),
    }
}
