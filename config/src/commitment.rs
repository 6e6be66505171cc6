//! Storage commitment, as written → resolved.

use std::collections::BTreeMap;

use domain::{AeTitle, Backoff, Destination};

use crate::Faults;
use crate::resolve::{address, ae_titles, seconds};
use crate::resolved::{CommitmentAnswers, CommitmentConfig, CommitmentWish};
use crate::written::{self, Written};

/// Both ways; `destinations` are those that were resolved.
pub(crate) fn commitment(
    written: &Written,
    own: &AeTitle,
    destinations: &[Destination],
    faults: &mut Faults,
) -> CommitmentConfig {
    let keys = &written.commitment;
    check(keys, faults);
    let wish = |to: &written::Destination| {
        let resolved = destinations.iter().find(|resolved| resolved.name == to.name)?;
        Some((to.name.clone(), wish(to, resolved, faults)?))
    };
    let wanted: BTreeMap<_, _> = written.destination.iter().filter_map(wish).collect();
    CommitmentConfig {
        wanted,
        wait: seconds(keys.wait_s),
        ask_again: Backoff {
            first: seconds(keys.ask_again_s),
            longest: seconds(keys.ask_again_longest_s),
            attempts_max: keys.ask_max,
        },
        answers: answers(keys, (own, destinations), faults),
    }
}

fn check(keys: &written::Commitment, faults: &mut Faults) {
    for (key, number) in [("ask_again_s", keys.ask_again_s), ("ask_max", keys.ask_max.into())] {
        if number == 0 {
            faults.add(&format!("commitment.{key}"), "must be above 0");
        }
    }
    if keys.ask_again_longest_s < keys.ask_again_s {
        faults.add("commitment.ask_again_longest_s", "must not be below ask_again_s");
    }
    if keys.ask_again_s <= keys.wait_s {
        faults.add("commitment.ask_again_s", "must be above wait_s");
    }
}

/// Who commits to what `to` got; `None` when nobody is to.
fn wish(
    to: &written::Destination,
    resolved: &Destination,
    faults: &mut Faults,
) -> Option<CommitmentWish> {
    let key = format!("destination {:?}", to.name);
    if !to.commitment {
        return None;
    }
    let asked = match &to.commitment_to {
        Some(text) => {
            let key = format!("{key} commitment_to");
            let (called, host, port) = faults.take(&key, address(text))?;
            Destination { called, host, port, ..resolved.clone() }
        }
        None => resolved.clone(),
    };
    let mut from = ae_titles(&format!("{key} commitment_from"), &to.commitment_from, faults);
    from.push(asked.called.clone());
    let server_name = to.tls.as_ref().and_then(|tls| tls.server_name.clone());
    let server_name = server_name.unwrap_or_else(|| asked.host.clone());
    Some(CommitmentWish { to: asked, server_name, from })
}

/// Where reports go: to the peers that are named for it, and to destinations, by their titles.
fn answers(
    keys: &written::Commitment,
    (own, destinations): (&AeTitle, &[Destination]),
    faults: &mut Faults,
) -> CommitmentAnswers {
    if !keys.answer {
        return CommitmentAnswers::None;
    }
    let mut peers = Vec::new();
    for text in &keys.report_to {
        if let Some((called, host, port)) = faults.take("commitment.report_to", address(text)) {
            let (name, calling) = (called.to_string(), own.clone());
            peers.push(Destination { name, called, calling, host, port });
        }
    }
    peers.extend_from_slice(destinations);
    CommitmentAnswers::ReportTo(peers)
}
