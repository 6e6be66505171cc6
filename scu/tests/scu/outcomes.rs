//! What the SCU says of each thing that an acceptor can do.

use std::time::Duration;

use dimse::Abort;
use scu::{Outcome, Outgoing, ScuError, Timeouts};

use crate::acceptor::*;
use crate::files::*;

/// Stores `instances` and gives the outcome and what was heard on the way.
async fn store(
    acceptor: &Acceptor,
    instances: &[Outgoing],
    timeouts: &Timeouts,
) -> (Result<Vec<Outcome>, ScuError>, Vec<(usize, Outcome)>) {
    let mut heard = Vec::new();
    let mut progress = |n: usize, outcome: &Outcome| heard.push((n, outcome.clone()));
    let outcomes = scu::store(&acceptor.to, instances, timeouts, &mut progress).await;
    (outcomes, heard)
}

fn three(dir: &std::path::Path) -> Vec<Outgoing> {
    (1..=3).map(|n| file(dir, CT, &format!("1.2.3.4.{n}"), 1_000)).collect()
}

#[tokio::test]
async fn each_instance_has_its_outcome_and_its_data_set_is_that_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let acceptor = Acceptor::start(Act::Answer(vec![0, 0xB000, 0xA701]), 1, 16_384).await;
    let (outcomes, heard) = store(&acceptor, &three(dir.path()), &TIMEOUTS).await;
    let want = [
        Outcome::Stored,
        Outcome::StoredWithWarning(0xB000),
        Outcome::Refused { status: 0xA701, comment: "because".into() },
    ];
    assert_eq!(outcomes.unwrap(), want);
    assert_eq!(heard, want.into_iter().enumerate().collect::<Vec<_>>());
    let seen = acceptor.seen().await;
    assert_eq!((seen.associations, seen.released, seen.contexts), (1, 1, vec![1]));
    let ids: Vec<u16> = seen.requests.iter().map(|request| request.message_id).collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(seen.requests[1].sop_class, CT);
    assert!(seen.data_sets[2] == data_set(CT, "1.2.3.4.3", 1_000));
}

#[tokio::test]
async fn pdus_are_as_long_as_the_acceptor_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let instance = file(dir.path(), CT, "1.2.3.4.5", 600_000);
    for pdu_length_max in [128, 4_096, 16_384, 131_072, 0] {
        let acceptor = Acceptor::start(Act::Answer(vec![]), 1, pdu_length_max).await;
        let (outcomes, _) = store(&acceptor, std::slice::from_ref(&instance), &TIMEOUTS).await;
        assert_eq!(outcomes.unwrap(), [Outcome::Stored], "{pdu_length_max}");
        let seen = acceptor.seen().await;
        assert!(seen.data_sets[0] == data_set(CT, "1.2.3.4.5", 600_000), "{pdu_length_max}");
    }
}

#[tokio::test]
async fn data_sets_of_all_lengths_around_a_fragment() {
    let dir = tempfile::tempdir().unwrap();
    let header = data_set(CT, "1.2.3.4.5", 0).len();
    for length in [250, 252, 254, 500] {
        let instance = file(dir.path(), CT, "1.2.3.4.5", length - header);
        // Fragments of 250 bytes.
        let acceptor = Acceptor::start(Act::Answer(vec![]), 1, 256).await;
        let (outcomes, _) = store(&acceptor, std::slice::from_ref(&instance), &TIMEOUTS).await;
        assert_eq!(outcomes.unwrap(), [Outcome::Stored]);
        assert_eq!(acceptor.seen().await.data_sets[0].len(), length);
    }
}

#[tokio::test]
async fn what_is_not_accepted_is_not_sent_and_the_rest_is() {
    let dir = tempfile::tempdir().unwrap();
    let instances = [file(dir.path(), CT, "1.2.3.4.1", 10), file(dir.path(), MR, "1.2.3.4.2", 10)];
    let acceptor = Acceptor::start(Act::TakeOnly(MR), 1, 16_384).await;
    let (outcomes, heard) = store(&acceptor, &instances, &TIMEOUTS).await;
    assert_eq!(outcomes.unwrap(), [Outcome::NotAccepted, Outcome::Stored]);
    assert_eq!(heard.len(), 2);
    let seen = acceptor.seen().await;
    assert_eq!((seen.requests.len(), seen.contexts[0], seen.released), (1, 2, 1));
}

#[tokio::test]
async fn more_kinds_than_contexts_take_a_second_association() {
    let dir = tempfile::tempdir().unwrap();
    let instances: Vec<Outgoing> = (1..=130)
        .map(|n| file(dir.path(), &format!("1.2.840.10008.5.1.4.1.1.{n}"), &format!("1.{n}"), 2))
        .collect();
    let acceptor = Acceptor::start(Act::Answer(vec![]), 2, 16_384).await;
    let (outcomes, heard) = store(&acceptor, &instances, &TIMEOUTS).await;
    assert_eq!(outcomes.unwrap(), vec![Outcome::Stored; 130]);
    assert!(heard.iter().map(|(n, _)| *n).eq(0..130));
    assert_eq!(acceptor.seen().await.contexts, [128, 2]);
}

#[tokio::test]
async fn no_instances_need_no_association() {
    let acceptor = Acceptor::start(Act::Answer(vec![]), 0, 16_384).await;
    let (outcomes, _) = store(&acceptor, &[], &TIMEOUTS).await;
    assert_eq!(outcomes.unwrap(), []);
    assert_eq!(acceptor.seen().await.associations, 0);
}

#[tokio::test]
async fn no_association_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let instances = three(dir.path());
    let quick = Timeouts { io: Duration::from_millis(100), ..TIMEOUTS };
    let table = [
        (Act::Reject, "association rejected, transient: local limit exceeded"),
        (Act::AbortTheRequest, "association aborted: by the service-provider"),
        (Act::CloseAtTheRequest, "the peer closed the connection"),
        (Act::IgnoreTheRequest, "nothing came or went for 0.1 s"),
        (Act::AcceptWhatWasNotProposed, "what was not proposed is accepted"),
    ];
    for (act, text) in table {
        let acceptor = Acceptor::start(act.clone(), 1, 16_384).await;
        let timeouts = if matches!(act, Act::IgnoreTheRequest) { quick } else { TIMEOUTS };
        let (outcomes, heard) = store(&acceptor, &instances, &timeouts).await;
        assert_eq!(outcomes.unwrap_err().to_string(), text);
        assert_eq!(heard, []);
        let aborts = acceptor.seen().await.aborts;
        let expected = if act == Act::IgnoreTheRequest {
            vec![Abort::SERVICE_PROVIDER]
        } else if act == Act::AcceptWhatWasNotProposed {
            vec![Abort::INVALID_PDU_PARAMETER]
        } else {
            vec![]
        };
        assert_eq!(aborts, expected);
    }
}

#[tokio::test]
async fn what_was_answered_before_the_failure_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let instances = three(dir.path());
    let quick = Timeouts { io: Duration::from_millis(200), ..TIMEOUTS };
    let table = [
        (Act::AnswerTheWrongOne, "a response to another request came"),
        (Act::AbortTheSecond, "association aborted: by the service-user"),
        (Act::CloseAtTheSecond, "the peer closed the connection"),
        (Act::IgnoreTheSecond, "nothing came or went for 0.2 s"),
    ];
    for (act, text) in table {
        let acceptor = Acceptor::start(act.clone(), 1, 16_384).await;
        let timeouts = if matches!(act, Act::IgnoreTheSecond) { quick } else { TIMEOUTS };
        let (outcomes, heard) = store(&acceptor, &instances, &timeouts).await;
        assert_eq!(outcomes.unwrap_err().to_string(), text);
        assert_eq!(heard, [(0, Outcome::Stored)]);
        acceptor.seen().await;
    }
}

#[tokio::test]
async fn a_release_that_fails_takes_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let acceptor = Acceptor::start(Act::RefuseToRelease, 1, 16_384).await;
    let (outcomes, _) = store(&acceptor, &three(dir.path()), &TIMEOUTS).await;
    assert_eq!(outcomes.unwrap(), vec![Outcome::Stored; 3]);
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_named_and_nothing_half_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let good = file(dir.path(), CT, "1.2.3.4.1", 1_000);
    let missing = Outgoing { path: dir.path().join("missing.dcm"), ..good.clone() };
    let mut other = file(dir.path(), CT, "1.2.3.4.2", 1_000);
    let syntax = domain::TransferSyntaxUid::parse("1.2.840.10008.1.2").unwrap();
    other.identity.transfer_syntax = syntax;
    for (bad, text) in [(missing, "missing.dcm cannot be sent"), (other, "transfer syntax")] {
        let acceptor = Acceptor::start(Act::Answer(vec![]), 1, 16_384).await;
        let (outcomes, heard) = store(&acceptor, &[good.clone(), bad], &TIMEOUTS).await;
        let error = outcomes.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(heard, [(0, Outcome::Stored)]);
        let seen = acceptor.seen().await;
        assert_eq!((seen.requests.len(), seen.aborts), (1, vec![Abort::SERVICE_USER]));
    }
}

#[tokio::test]
async fn echo_says_yes_or_why_not() {
    let table = [
        (Act::Answer(vec![]), "yes"),
        (
            Act::Answer(vec![0x0122]),
            "C-ECHO answered with status 0122 (Refused: SOP Class Not Supported)",
        ),
        (Act::TakeOnly(CT), "Verification is not accepted"),
        (Act::Reject, "association rejected, transient: local limit exceeded"),
    ];
    for (act, text) in table {
        let acceptor = Acceptor::start(act, 1, 16_384).await;
        let said = match scu::echo(&acceptor.to, &TIMEOUTS).await {
            Ok(()) => "yes".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, text);
        acceptor.seen().await;
    }
}

#[tokio::test]
async fn nobody_there() {
    let acceptor = Acceptor::start(Act::Answer(vec![]), 0, 16_384).await;
    let to = acceptor.to.clone();
    acceptor.seen().await;
    let error = scu::echo(&to, &TIMEOUTS).await.unwrap_err();
    assert!(matches!(error, ScuError::Unreachable(_)), "{error}");
}
