//! What destinations are to commit to.

use std::time::Duration;

use domain::{
    CommitmentReport, CommitmentRequest, FailureReason, InstanceReference, Job, SopInstanceUid,
    TransactionUid,
};

use super::bench::{Bench, close, identity, row, send, wish, write_results};
use crate::{CommitmentRow, Purged, ReportOutcome, Reported, Spool};

const REDELIVERIES_MAX: u32 = 2;
const NO_SUCH: FailureReason = FailureReason::NO_SUCH_OBJECT_INSTANCE;

/// A job whose results `pacs` has got, and is to commit to.
fn delivered(bench: &Bench) -> (Spool, Job, i64) {
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    close(&spool, &a.series, &[wish("r", &["pacs"])], bench.now()).unwrap();
    let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    spool.add_study_jobs(&job.study, &[], bench.now()).unwrap();
    write_results(&spool, &job, bench.now()).unwrap();
    let delivery = deliver(bench, &spool);
    (spool, job, delivery)
}

/// Delivers what is due, all of it to be committed to.
fn deliver(bench: &Bench, spool: &Spool) -> i64 {
    let due = spool.due_deliveries(bench.now(), &[]).unwrap().remove(0);
    let uids: Vec<SopInstanceUid> =
        due.results.iter().map(|result| result.identity.sop_instance.clone()).collect();
    spool.delivery_to_commit(due.id, "BINARY", &uids, bench.now()).unwrap();
    due.id
}

fn ask(bench: &Bench, spool: &Spool, delivery: i64) -> CommitmentRequest {
    let now = bench.pass(1);
    spool.ask_commitment(delivery, now, now.plus(Duration::from_secs(10))).unwrap().unwrap()
}

fn report(
    request: &CommitmentRequest,
    committed: &[usize],
    failed: &[(usize, FailureReason)],
) -> CommitmentReport {
    let of = |index: &usize| request.references[*index].clone();
    CommitmentReport {
        transaction: request.transaction.clone(),
        committed: committed.iter().map(of).collect(),
        failed: failed.iter().map(|(index, reason)| (of(index), *reason)).collect(),
    }
}

fn tell(bench: &Bench, spool: &Spool, report: &CommitmentReport) -> ReportOutcome {
    let told = spool.commitment_reported(report, REDELIVERIES_MAX, bench.pass(1)).unwrap();
    let Reported { destination, outcome, .. } = told.unwrap();
    assert_eq!(destination, "pacs");
    outcome
}

fn commitment(spool: &Spool) -> CommitmentRow {
    spool.snapshot().unwrap().commitments.remove(0)
}

fn job_state(spool: &Spool, job: &Job) -> (String, Option<String>) {
    let row = row(spool, job.id);
    (row.state, row.reason_code)
}

#[test]
fn a_job_is_done_and_its_results_may_go_when_all_is_committed() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    assert_eq!(job_state(&spool, &job).0, "delivering");
    let due = spool.due_commitments(bench.now(), &[]).unwrap();
    assert_eq!((due.len(), due[0].delivery, due[0].asked), (1, delivery, 0));
    assert_eq!(spool.next_commitment_at(&[]).unwrap(), Some(bench.now()));
    assert_eq!(spool.due_commitments(bench.now(), &["pacs"]).unwrap(), [], "it is busy");
    assert_eq!(spool.next_commitment_at(&["pacs"]).unwrap(), None);
    let request = ask(&bench, &spool, delivery);
    let uids: Vec<_> = request.references.iter().map(|r| r.sop_instance.as_str()).collect();
    assert_eq!(uids, ["2.25.1.1.1", "2.25.1.1.2"]);
    assert_eq!(
        spool.transaction_destination(&request.transaction).unwrap().as_deref(),
        Some("pacs")
    );
    assert_eq!(spool.purge(bench.pass(1)).unwrap(), Purged::default(), "not committed yet");
    let outcome = tell(&bench, &spool, &report(&request, &[1, 0], &[]));
    assert_eq!(outcome, ReportOutcome::Committed);
    assert_eq!(job_state(&spool, &job), ("done".into(), None));
    let row = commitment(&spool);
    assert_eq!((row.state.as_str(), row.committed, row.instances), ("committed", 2, 2));
    assert_eq!(spool.next_commitment_at(&[]).unwrap(), None);
    // Twice is once.
    let again = tell(&bench, &spool, &report(&request, &[], &[(0, NO_SUCH)]));
    assert_eq!(again, ReportOutcome::Again);
    assert_eq!(job_state(&spool, &job), ("done".into(), None));
    assert_eq!(spool.purge(bench.pass(1)).unwrap().instances, 1);
}

#[test]
fn without_a_report_it_is_asked_again_under_another_uid_over_a_restart_too() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    let first = ask(&bench, &spool, delivery);
    assert_eq!(spool.due_commitments(bench.now(), &[]).unwrap(), []);
    drop(spool);
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.requeued, recovery.redone), (0, 0));
    let due = spool.due_commitments(bench.pass(10_000), &[]).unwrap();
    assert_eq!((due.len(), due[0].asked), (1, 1));
    spool.commitment_failed(delivery, "no answer").unwrap();
    assert_eq!(commitment(&spool).reason.as_deref(), Some("no answer"));
    let second = ask(&bench, &spool, delivery);
    assert_ne!(first.transaction, second.transaction);
    // A late report on the first request is as good as one on the second.
    assert_eq!(tell(&bench, &spool, &report(&first, &[0, 1], &[])), ReportOutcome::Committed);
    assert_eq!(job_state(&spool, &job).0, "done");
    let unknown = CommitmentReport {
        transaction: TransactionUid::parse("1.2.3").unwrap(),
        committed: second.references,
        failed: vec![],
    };
    assert_eq!(spool.commitment_reported(&unknown, 2, bench.now()).unwrap(), None);
}

#[test]
fn half_the_references_are_half_and_the_rest_is_asked_for_again() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    let request = ask(&bench, &spool, delivery);
    let outcome = tell(&bench, &spool, &report(&request, &[0], &[]));
    assert_eq!(outcome, ReportOutcome::Incomplete(1));
    assert_eq!(
        (commitment(&spool).committed, job_state(&spool, &job).0.as_str()),
        (1, "delivering")
    );
    let rest = ask(&bench, &spool, delivery);
    assert_eq!(rest.references, [request.references[1].clone()]);
    assert_eq!(tell(&bench, &spool, &report(&rest, &[0], &[])), ReportOutcome::Committed);
}

#[test]
fn references_that_are_not_ours_or_of_another_class_count_for_nothing() {
    let bench = Bench::new();
    let (spool, _, delivery) = delivered(&bench);
    let request = ask(&bench, &spool, delivery);
    let mut wrong = report(&request, &[0, 1], &[]);
    wrong.committed[0].sop_class = domain::SopClassUid::parse("1.2.3").unwrap();
    wrong.committed[1].sop_instance = SopInstanceUid::parse("1.2.3").unwrap();
    wrong.failed = vec![(
        InstanceReference { ..wrong.committed[1].clone() },
        FailureReason::SOP_CLASS_NOT_SUPPORTED,
    )];
    assert_eq!(tell(&bench, &spool, &wrong), ReportOutcome::Incomplete(2));
}

#[test]
fn what_the_archive_has_lost_is_delivered_again_and_at_the_limit_refused() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    for round in 1..=REDELIVERIES_MAX {
        let request = ask(&bench, &spool, delivery);
        // The first is committed to in the first round, and not asked for any more.
        let last = request.references.len() - 1;
        let committed: Vec<usize> = (0..last).collect();
        let outcome = tell(&bench, &spool, &report(&request, &committed, &[(last, NO_SUCH)]));
        let ReportOutcome::DeliverAgain(words) = outcome else { panic!("{outcome:?}") };
        assert_eq!(words, "0112 (no such object instance) for 1 instances");
        let row = commitment(&spool);
        assert_eq!((row.state.as_str(), row.redelivered), ("redelivering", round));
        assert_eq!(spool.due_commitments(bench.pass(60_000), &[]).unwrap(), [], "first delivered");
        assert_eq!(deliver(&bench, &spool), delivery);
        assert_eq!((commitment(&spool).state.as_str(), commitment(&spool).committed), ("open", 1));
        // The same report once more says nothing about the new delivery.
        let stale = report(&request, &[], &[(last, NO_SUCH)]);
        assert_eq!(tell(&bench, &spool, &stale), ReportOutcome::Again);
    }
    let request = ask(&bench, &spool, delivery);
    assert_eq!(request.references.len(), 1, "one was committed to");
    let outcome = tell(&bench, &spool, &report(&request, &[], &[(0, NO_SUCH)]));
    assert!(matches!(outcome, ReportOutcome::Refused(_)), "{outcome:?}");
    assert_eq!(job_state(&spool, &job), ("quarantined".into(), Some("uncommitted".into())));
    let reason = row(&spool, job.id).reason.unwrap();
    assert_eq!(reason, "pacs: 0112 (no such object instance) for 1 instances");
}

#[test]
fn reasons_that_pass_and_reasons_that_do_not() {
    let table = [
        (0x0110, false),
        (0x0213, false),
        (0x0131, false),
        (0x0119, true),
        (0x0122, true),
        (0x4711, true),
    ];
    for (reason, is_final) in table {
        let bench = Bench::new();
        let (spool, job, delivery) = delivered(&bench);
        let request = ask(&bench, &spool, delivery);
        let outcome = tell(&bench, &spool, &report(&request, &[0], &[(1, FailureReason(reason))]));
        assert_eq!(matches!(outcome, ReportOutcome::Refused(_)), is_final, "{reason:04X}");
        assert_eq!(matches!(outcome, ReportOutcome::AskAgain(_)), !is_final, "{reason:04X}");
        let state = job_state(&spool, &job).0;
        assert_eq!(state, if is_final { "quarantined" } else { "delivering" }, "{reason:04X}");
    }
}

#[test]
fn giving_up_quarantines_and_not_wanting_it_any_more_does_not() {
    for (reason, state) in [(Some("asked 3 times, no report"), "quarantined"), (None, "done")] {
        let bench = Bench::new();
        let (spool, job, delivery) = delivered(&bench);
        spool.commitment_ended(delivery, reason, bench.now()).unwrap();
        assert_eq!(job_state(&spool, &job).0, state);
        let now = bench.now();
        assert_eq!(spool.ask_commitment(delivery, now, now).unwrap(), None, "ended");
    }
}

#[test]
fn a_refused_redelivery_ends_the_commitment_and_one_without_a_wish_waives_it() {
    for is_refused in [true, false] {
        let bench = Bench::new();
        let (spool, job, delivery) = delivered(&bench);
        let request = ask(&bench, &spool, delivery);
        tell(&bench, &spool, &report(&request, &[], &[(0, NO_SUCH), (1, NO_SUCH)]));
        let (commitment_state, state) = if is_refused {
            spool.delivery_failed(delivery, "status 0122", None, bench.now()).unwrap();
            ("refused", ("quarantined".into(), Some("undeliverable".into())))
        } else {
            spool.delivery_done(delivery, "BINARY", bench.now()).unwrap();
            ("waived", ("done".into(), None))
        };
        assert_eq!(commitment(&spool).state, commitment_state);
        assert_eq!(job_state(&spool, &job), state);
    }
}

#[test]
fn word_that_comes_while_it_is_delivered_again_counts() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    let request = ask(&bench, &spool, delivery);
    tell(&bench, &spool, &report(&request, &[0], &[(1, NO_SUCH)]));
    assert_eq!(tell(&bench, &spool, &report(&request, &[1], &[])), ReportOutcome::Again);
    assert_eq!(job_state(&spool, &job).0, "delivering", "a delivery is under way");
    deliver(&bench, &spool);
    assert_eq!(job_state(&spool, &job).0, "done");
}

#[test]
fn results_that_are_gone_are_made_delivered_and_committed_to_once_more() {
    let bench = Bench::new();
    let (spool, job, delivery) = delivered(&bench);
    ask(&bench, &spool, delivery);
    let file = row(&spool, job.id).results.remove(0);
    drop(spool);
    std::fs::remove_file(file).unwrap();
    let (spool, recovery) = bench.open();
    assert_eq!(recovery.redone, 1);
    assert_eq!(spool.snapshot().unwrap().commitments, []);
    let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    write_results(&spool, &job, bench.now()).unwrap();
    let delivery = deliver(&bench, &spool);
    let request = ask(&bench, &spool, delivery);
    assert_eq!(tell(&bench, &spool, &report(&request, &[0, 1], &[])), ReportOutcome::Committed);
}

#[test]
fn every_state_is_counted() {
    let bench = Bench::new();
    let (spool, ..) = delivered(&bench);
    let counts = spool.counts().unwrap();
    assert_eq!((counts.commitments["open"], counts.commitments.len()), (1, 5));
    assert_eq!((counts.requests["open"], counts.requests.len()), (0, 3));
}
