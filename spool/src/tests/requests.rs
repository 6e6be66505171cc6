//! What peers ask us to commit to.

use std::time::Duration;

use domain::{
    AeTitle, CommitmentReport, CommitmentRequest, FailureReason, InstanceReference, Moment,
    RequestId, SopClassUid, SopInstanceUid, TransactionUid,
};

use super::bench::{Bench, identity, send};
use crate::{Asked, OpenMax, RequestRow, Spool};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const OPEN_MAX: OpenMax = OpenMax { requests: 3, references: 5 };

fn request(transaction: &str, instances: &[(&str, &str)]) -> CommitmentRequest {
    let reference = |(class, instance): &(&str, &str)| InstanceReference {
        sop_class: SopClassUid::parse(class).unwrap(),
        sop_instance: SopInstanceUid::parse(instance).unwrap(),
    };
    CommitmentRequest {
        transaction: TransactionUid::parse(transaction).unwrap(),
        references: instances.iter().map(reference).collect(),
    }
}

fn later(bench: &Bench) -> Moment {
    bench.now().plus(Duration::from_secs(10))
}

fn ask(bench: &Bench, spool: &Spool, calling: &str, request: &CommitmentRequest) -> Asked {
    let title = |text| AeTitle::parse(text).unwrap();
    let titles = (&title(calling), &title("NODE"));
    let times = (bench.now(), later(bench));
    spool.request_asked(titles, request, OPEN_MAX, times).unwrap()
}

fn owed(bench: &Bench, spool: &Spool, calling: &str, request: &CommitmentRequest) -> RequestId {
    match ask(bench, spool, calling, request) {
        Asked::Owed(id) => id,
        Asked::TooMany => panic!("too many"),
    }
}

fn codes(report: &CommitmentReport) -> (Vec<&str>, Vec<(&str, u16)>) {
    let committed = report.committed.iter().map(|r| r.sop_instance.as_str()).collect();
    let failed = report.failed.iter().map(|(r, why)| (r.sop_instance.as_str(), why.0)).collect();
    (committed, failed)
}

fn only_row(spool: &Spool) -> RequestRow {
    let mut rows = spool.snapshot().unwrap().requests;
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[test]
fn the_report_says_what_is_there_when_it_is_made() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    send(&spool, &identity("1.1", "1.2", "1.3"), b"one").unwrap();
    send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
    let request = request("2.25.1", &[(CT, "1.3"), ("1.2.3", "1.4"), (CT, "1.9"), (CT, "1.8")]);
    let id = owed(&bench, &spool, "CT1", &request);
    // Came after it was asked for, and counts.
    send(&spool, &identity("1.1", "1.2", "1.8"), b"late").unwrap();
    let report = spool.claim_report(id, later(&bench)).unwrap().unwrap();
    assert_eq!(codes(&report), (vec!["1.3", "1.8"], vec![("1.4", 0x0119), ("1.9", 0x0112)]));
    spool.report_taken(id, &report, bench.now()).unwrap();
    let row = only_row(&spool);
    assert_eq!((row.state.as_str(), row.instances), ("reported", 4));
    assert_eq!((row.committed, row.failed), (Some(2), Some(2)));
    assert_eq!(spool.claim_report(id, later(&bench)).unwrap(), None, "given already");
    assert_eq!(spool.next_report_at().unwrap(), None);
}

#[test]
fn what_was_purged_is_not_there_any_more() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    super::bench::close(&spool, &a.series, &[], bench.now()).unwrap();
    spool.add_study_jobs(&a.study, &[], bench.now()).unwrap();
    spool.purge(bench.pass(1)).unwrap();
    let id = owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")]));
    let report = spool.claim_report(id, later(&bench)).unwrap().unwrap();
    assert_eq!(codes(&report), (vec![], vec![("1.3", 0x0112)]));
}

#[test]
fn reports_are_owed_over_a_restart_and_tried_until_they_are_given_up() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let id = owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")]));
    let claim =
        |spool: &Spool, bench: &Bench| spool.claim_due_report(bench.now(), later(bench)).unwrap();
    assert_eq!(claim(&spool, &bench), None, "its association may still be open");
    drop(spool);
    let (spool, _) = bench.open();
    bench.pass(10_000);
    let report = claim(&spool, &bench).unwrap();
    assert_eq!((report.request, report.attempts, report.calling.as_str()), (id, 0, "CT1"));
    assert_eq!((report.called.as_str(), report.report.failed.len()), ("NODE", 1));
    assert_eq!(claim(&spool, &bench), None, "somebody has it");
    let again = bench.pass(1_000);
    spool.report_failed(id, "cannot connect", Some(again), again).unwrap();
    assert_eq!(claim(&spool, &bench).unwrap().attempts, 1);
    spool.report_failed(id, "cannot connect", None, again).unwrap();
    let row = only_row(&spool);
    assert_eq!((row.state.as_str(), row.attempts), ("given-up", 2));
    assert_eq!(row.reason.as_deref(), Some("cannot connect"));
    bench.pass(60_000);
    assert_eq!(claim(&spool, &bench), None);
}

#[test]
fn a_node_that_answers_nobody_any_more_gives_up_what_it_owes() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let id = owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")]));
    assert_eq!(spool.give_up_reports("not answered any more", bench.now()).unwrap(), 1);
    let row = only_row(&spool);
    assert_eq!(
        (row.state.as_str(), row.reason.as_deref()),
        ("given-up", Some("not answered any more"))
    );
    assert_eq!(spool.claim_report(id, later(&bench)).unwrap(), None);
    assert_eq!(spool.give_up_reports("again", bench.now()).unwrap(), 0);
    // Asked again by a node that answers again, it is a request like any other.
    assert_eq!(owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")])), id);
    let report = spool.claim_report(id, later(&bench)).unwrap().unwrap();
    assert_eq!(codes(&report), (vec![], vec![("1.3", 0x0112)]));
}

#[test]
fn an_association_that_is_let_go_makes_the_report_due() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let id = owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")]));
    spool.report_due(id, bench.now()).unwrap();
    assert_eq!(spool.next_report_at().unwrap(), Some(bench.now()));
}

#[test]
fn the_same_once_more_is_owed_once_more_and_another_under_its_uid_is_a_duplicate() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    send(&spool, &identity("1.1", "1.2", "1.3"), b"one").unwrap();
    let first = request("2.25.1", &[(CT, "1.3")]);
    let id = owed(&bench, &spool, "CT1", &first);
    assert_eq!(owed(&bench, &spool, "CT1", &first), id, "while it is open");
    let report = spool.claim_report(id, later(&bench)).unwrap().unwrap();
    assert_eq!(report.committed.len(), 1);
    spool.report_taken(id, &report, bench.now()).unwrap();
    assert_eq!(owed(&bench, &spool, "CT1", &first), id, "and when it was reported on");
    let report = spool.claim_report(id, later(&bench)).unwrap().unwrap();
    assert_eq!((report.committed.len(), report.failed.len()), (1, 0));

    let other = request("2.25.1", &[(CT, "1.3"), (CT, "1.4")]);
    for (calling, request) in [("CT1", &other), ("CT2", &first)] {
        let duplicate = owed(&bench, &spool, calling, request);
        assert_ne!(duplicate, id);
        let report = spool.claim_report(duplicate, later(&bench)).unwrap().unwrap();
        let reasons: Vec<_> = report.failed.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(report.committed, []);
        let duplicate = FailureReason::DUPLICATE_TRANSACTION_UID;
        assert_eq!(reasons, vec![duplicate; request.references.len()]);
    }
}

#[test]
fn at_the_limits_nothing_more_is_taken() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let name = |number: usize| format!("2.25.{number}");
    let one = |number| request(&name(number), &[(CT, "1.3")]);
    let first = owed(&bench, &spool, "CT1", &one(1));
    let five = request("2.25.9", &[(CT, "1.3"); 5]);
    assert_eq!(ask(&bench, &spool, "CT1", &five), Asked::TooMany, "six references");
    owed(&bench, &spool, "CT1", &one(2));
    owed(&bench, &spool, "CT1", &one(3));
    assert_eq!(ask(&bench, &spool, "CT1", &one(4)), Asked::TooMany, "four requests");
    assert_eq!(owed(&bench, &spool, "CT1", &one(1)), first, "what is known is no more");
    spool.report_failed(first, "gone", None, bench.now()).unwrap();
    owed(&bench, &spool, "CT1", &one(4));
    let again = ask(&bench, &spool, "CT1", &one(1));
    assert_eq!(again, Asked::TooMany, "what has ended is one more when it is asked again");
    assert_eq!(spool.counts().unwrap().requests["open"], 3);
}

#[test]
fn ended_requests_are_forgotten_with_what_else_is_old() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let id = owed(&bench, &spool, "CT1", &request("2.25.1", &[(CT, "1.3")]));
    owed(&bench, &spool, "CT1", &request("2.25.2", &[(CT, "1.3")]));
    spool.report_failed(id, "gone", None, bench.now()).unwrap();
    spool.purge(bench.now()).unwrap();
    assert_eq!(spool.snapshot().unwrap().requests.len(), 2, "not old yet");
    spool.purge(bench.pass(1)).unwrap();
    assert_eq!(only_row(&spool).state, "open");
}

#[test]
fn a_start_owes_what_no_association_has_any_more() {
    let bench = Bench::new();
    let request = request("2.25.1", &[(CT, "1.3")]);
    {
        let (spool, _) = bench.open();
        owed(&bench, &spool, "CT1", &request);
        assert_eq!(spool.next_report_at().unwrap(), Some(later(&bench)));
    }
    let (spool, _) = bench.open();
    assert!(spool.next_report_at().unwrap().unwrap() <= bench.now());
    let due = spool.claim_due_report(bench.now(), later(&bench)).unwrap().unwrap();
    assert_eq!(due.report.transaction, request.transaction);
}
