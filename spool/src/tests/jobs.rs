//! Jobs from closing to their end.

use domain::{JobId, Moment, Revision};

use super::bench::{Bench, bytes_in, close, identity, row, send, wish, write_results};
use crate::{Spool, SpoolError};

const PACS: &[&str] = &["pacs"];

fn state(spool: &Spool, job: JobId) -> String {
    row(spool, job).state
}

#[test]
fn closing_queues_jobs_and_counts_revisions() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    assert!(matches!(
        close(&spool, &a.series, &[], bench.now()),
        Err(SpoolError::UnknownSeries { .. })
    ));
    send(&spool, &a, b"one").unwrap();
    assert_eq!(spool.open_series().unwrap()[0].series, a.series);
    let jobs = [wish("r", PACS), wish("s", &[])];
    let closed = close(&spool, &a.series, &jobs, bench.now()).unwrap();
    assert_eq!((closed.revision, closed.jobs.len()), (Revision(1), 2));
    assert_eq!(spool.open_series().unwrap(), []);
    // Closed already: nothing more.
    let again = close(&spool, &a.series, &jobs, bench.now()).unwrap();
    assert_eq!((again.revision, again.jobs), (Revision(1), vec![]));
    send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
    assert_eq!(close(&spool, &a.series, &[], bench.now()).unwrap().revision, Revision(2));
}

#[test]
fn a_series_that_grew_meanwhile_stays_open() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    let seen = spool.series_instances(&a.series).unwrap();
    send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
    let closed = spool.close_series(&a.series, &seen, &[wish("r", PACS)], None, bench.now());
    assert!(matches!(closed, Err(SpoolError::Changed { .. })));
    assert_eq!(spool.open_series().unwrap().len(), 1);
    assert_eq!(spool.snapshot().unwrap().jobs, []);
}

#[test]
fn a_job_gets_what_its_revision_had() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    close(&spool, &a.series, &[wish("r", &["pacs", "archive", "pacs"])], bench.now()).unwrap();
    send(&spool, &identity("1.1", "1.2", "1.4"), b"late").unwrap();
    let (job, instances) = spool.claim_job(bench.now()).unwrap().unwrap();
    assert_eq!((job.revision, instances.len()), (Revision(1), 1));
    assert_eq!(job.ask.prompts, ["liver in \"abdomen\" CT"]);
    assert_eq!(job.destinations, ["archive", "pacs"]);
    assert!(spool.claim_job(bench.now()).unwrap().is_none());
    close(&spool, &a.series, &[wish("r", PACS), wish("s", PACS)], bench.now()).unwrap();
    // One revision at a time: the later one names the results of the earlier one. Another rule does not wait.
    let (other, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    assert_eq!((other.revision, other.rule.as_str()), (Revision(2), "s"));
    assert!(spool.claim_job(bench.now()).unwrap().is_none());
    spool.job_quarantined(job.id, "gap", "", bench.now()).unwrap();
    let (job, instances) = spool.claim_job(bench.now()).unwrap().unwrap();
    assert_eq!((job.revision, instances.len()), (Revision(2), 2));
}

#[test]
fn a_later_revision_supersedes_what_has_not_begun() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    let jobs = [wish("begun", PACS), wish("waits", PACS), wish("other", PACS)];
    let first = close(&spool, &a.series, &jobs, bench.now()).unwrap().jobs;
    spool.claim_job(bench.now()).unwrap().unwrap();
    send(&spool, &a, b"two").unwrap();
    let second = close(&spool, &a.series, &jobs[..2], bench.now()).unwrap().jobs;
    let states = |jobs: &[JobId]| jobs.iter().map(|job| state(&spool, *job)).collect::<Vec<_>>();
    assert_eq!(states(&first), ["running", "superseded", "queued"]);
    assert_eq!(states(&second), ["queued", "queued"]);
    // A restart does not begin again what was overtaken while it ran.
    drop(spool);
    let (spool, recovery) = bench.open();
    assert_eq!(recovery.requeued, 1);
    assert_eq!(state(&spool, first[0]), "superseded");
    assert_eq!(state(&spool, second[0]), "queued");
}

/// A series with one job that is running.
fn running(bench: &Bench, destinations: &[&str]) -> (Spool, domain::Job) {
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    close(&spool, &a.series, &[wish("r", destinations)], bench.now()).unwrap();
    let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    (spool, job)
}

#[test]
fn results_without_destination_end_the_job() {
    let bench = Bench::new();
    let (spool, job) = running(&bench, &[]);
    write_results(&spool, &job, bench.now()).unwrap();
    let row = row(&spool, job.id);
    assert_eq!((row.state.as_str(), row.results.len()), ("done", 2));
    assert!(row.results.iter().all(|path| path.exists()));
    assert_eq!(spool.next_delivery_at(&[]).unwrap(), None);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    assert_eq!(spool.snapshot().unwrap().spool_bytes, spool.spool_bytes());
    // A job ends once.
    assert!(matches!(
        write_results(&spool, &job, bench.now()),
        Err(SpoolError::JobNotRunning { .. })
    ));
    assert!(matches!(
        spool.job_quarantined(job.id, "gap", "between 3 and 4", bench.now()),
        Err(SpoolError::JobNotRunning { .. })
    ));
}

#[test]
fn quarantine_keeps_code_and_reason() {
    let bench = Bench::new();
    let (spool, job) = running(&bench, PACS);
    spool.job_quarantined(job.id, "gap", "between 3 and 4", bench.now()).unwrap();
    let row = row(&spool, job.id);
    assert_eq!(row.state, "quarantined");
    assert_eq!(
        (row.reason_code.unwrap(), row.reason.unwrap()),
        ("gap".into(), "between 3 and 4".into())
    );
    assert!(spool.claim_job(bench.now()).unwrap().is_none());
}

#[test]
fn deliveries_are_tried_until_all_have_ended() {
    let bench = Bench::new();
    let (spool, job) = running(&bench, &["archive", "pacs"]);
    write_results(&spool, &job, bench.now()).unwrap();
    let due = spool.due_deliveries(bench.now(), &[]).unwrap();
    let names: Vec<_> = due.iter().map(|delivery| delivery.destination.as_str()).collect();
    assert_eq!(names, ["archive", "pacs"]);
    let kinds: Vec<_> = due[0].results.iter().map(|result| result.kind.as_str()).collect();
    assert_eq!(kinds, ["segmentation", "report"]);
    spool.delivery_done(due[0].id, "BINARY", bench.now()).unwrap();
    let later = Moment::from_unix_millis(9_000);
    spool.delivery_failed(due[1].id, "refused to connect", Some(later), bench.now()).unwrap();
    assert_eq!(spool.due_deliveries(Moment::from_unix_millis(8_999), &[]).unwrap(), []);
    assert_eq!(spool.next_delivery_at(&[]).unwrap(), Some(later));
    assert_eq!(state(&spool, job.id), "delivering");
    // Over a restart too.
    drop(spool);
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.requeued, recovery.redone), (0, 0));
    let due = spool.due_deliveries(later, &[]).unwrap();
    assert_eq!((due.len(), due[0].attempts), (1, 1));
    spool.delivery_done(due[0].id, "BINARY", later).unwrap();
    // The outcome of a try that was recorded already changes nothing.
    spool.delivery_failed(due[0].id, "late news", None, later).unwrap();
    assert_eq!(state(&spool, job.id), "done");
    assert!(matches!(
        spool.delivery_done(99, "BINARY", later),
        Err(SpoolError::UnknownDelivery { .. })
    ));
}

#[test]
fn a_refusal_quarantines_when_the_others_have_ended() {
    let bench = Bench::new();
    let (spool, job) = running(&bench, &["archive", "pacs"]);
    write_results(&spool, &job, bench.now()).unwrap();
    let due = spool.due_deliveries(bench.now(), &[]).unwrap();
    spool.delivery_failed(due[0].id, "status 0122", None, bench.now()).unwrap();
    assert_eq!(state(&spool, job.id), "delivering");
    spool.delivery_done(due[1].id, "BINARY", bench.now()).unwrap();
    let row = row(&spool, job.id);
    assert_eq!(row.state, "quarantined");
    assert_eq!(row.reason_code.as_deref(), Some("undeliverable"));
    assert_eq!(row.reason.as_deref(), Some("archive: status 0122"));
}

#[test]
fn one_slow_destination_does_not_hide_another() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    for number in 0..40 {
        let a = identity("1.1", &format!("1.2.{number}"), "1.3");
        send(&spool, &a, b"one").unwrap();
        let destination = if number < 39 { "slow" } else { "quick" };
        close(&spool, &a.series, &[wish("r", &[destination])], bench.pass(1)).unwrap();
        let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
        write_results(&spool, &job, bench.now()).unwrap();
    }
    let due = spool.due_deliveries(bench.now(), &[]).unwrap();
    let names: Vec<_> = due.iter().map(|delivery| delivery.destination.as_str()).collect();
    assert_eq!(names, ["quick", "slow", "slow", "slow", "slow"]);
    assert_eq!((due[1].id, due[2].id), (1, 2), "those first that wait longest");
}

#[test]
fn what_waits_for_a_busy_destination_is_not_due() {
    let bench = Bench::new();
    let (spool, job) = running(&bench, &["archive", "pacs"]);
    write_results(&spool, &job, bench.now()).unwrap();
    let due = spool.due_deliveries(bench.now(), &["archive"]).unwrap();
    assert_eq!((due.len(), due[0].destination.as_str()), (1, "pacs"));
    let later = Moment::from_unix_millis(9_000);
    spool.delivery_failed(due[0].id, "refused to connect", Some(later), bench.now()).unwrap();
    assert_eq!(spool.next_delivery_at(&[]).unwrap(), Some(bench.now()));
    assert_eq!(spool.next_delivery_at(&["archive"]).unwrap(), Some(later), "no sooner");
    assert_eq!(spool.next_delivery_at(&["archive", "pacs"]).unwrap(), None);
    assert_eq!(spool.due_deliveries(later, &["archive", "pacs"]).unwrap(), []);
}

#[test]
fn results_of_an_earlier_revision_are_delivered_first() {
    let bench = Bench::new();
    let (spool, first) = running(&bench, &["archive", "pacs"]);
    write_results(&spool, &first, bench.now()).unwrap();
    let [archive, pacs] = spool.due_deliveries(bench.now(), &[]).unwrap().try_into().unwrap();
    let (soon, later) = (Moment::from_unix_millis(8_000), Moment::from_unix_millis(9_000));
    spool.delivery_failed(archive.id, "refused to connect", Some(soon), bench.now()).unwrap();
    spool.delivery_failed(pacs.id, "refused to connect", Some(later), bench.now()).unwrap();
    send(&spool, &identity("1.1", "1.2", "1.9"), b"late").unwrap();
    let wishes = [wish("r", &["archive", "pacs"]), wish("s", PACS)];
    close(&spool, &first.series, &wishes, bench.now()).unwrap();
    let (second, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    write_results(&spool, &second, bench.now()).unwrap();
    let due = |now, busy: &[&str]| {
        let due = spool.due_deliveries(now, busy).unwrap();
        due.into_iter().map(|due| (due.id, due.job)).collect::<Vec<_>>()
    };
    assert_eq!(due(bench.now(), &[]), []);
    assert_eq!(spool.next_delivery_at(&[]).unwrap(), Some(soon), "and not now");
    assert_eq!(spool.next_delivery_at(&["archive"]).unwrap(), Some(later), "and not now");
    assert_eq!(due(later, &["archive"]), [(pacs.id, first.id)]);
    // Results of another rule do not wait for them.
    let (other, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    write_results(&spool, &other, bench.now()).unwrap();
    assert_eq!(due(bench.now(), &[]).last().unwrap().1, other.id);
    // Through or given up, they are out of the way.
    spool.delivery_done(archive.id, "BINARY", soon).unwrap();
    assert_eq!(due(soon, &["pacs"]).last().unwrap().1, second.id);
    spool.delivery_failed(pacs.id, "status 0122", None, later).unwrap();
    assert_eq!(due(later, &["archive"]).first().unwrap().1, second.id);
    assert_eq!(spool.next_delivery_at(&["archive"]).unwrap(), Some(bench.now()));
}

#[test]
fn the_predecessor_is_the_newest_earlier_report_of_the_rule() {
    let bench = Bench::new();
    let (spool, first) = running(&bench, &[]);
    let predecessor =
        |before| spool.predecessor(&first.series, "r", Revision(before), "BINARY").unwrap();
    assert_eq!(predecessor(2), None);
    write_results(&spool, &first, bench.now()).unwrap();
    assert_eq!(predecessor(1), None);
    assert_eq!(predecessor(2).unwrap().sop_instance.as_str(), "2.25.1.1.2");
    assert_eq!(spool.predecessor(&first.series, "other", Revision(2), "BINARY").unwrap(), None);
    // The second revision fails; the third still names the first.
    for revision in 2..=3 {
        send(&spool, &identity("1.1", "1.2", &format!("1.9.{revision}")), b"late").unwrap();
        close(&spool, &first.series, &[wish("r", &[])], bench.now()).unwrap();
        let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
        spool.job_quarantined(job.id, "gap", "", bench.now()).unwrap();
    }
    assert_eq!(predecessor(3).unwrap().sop_instance.as_str(), "2.25.1.1.2");
    assert_eq!(spool.predecessor(&first.series, "r", Revision(3), "LABELMAP").unwrap(), None);
    let earlier = |before, form| {
        let found = spool.earlier_results(&first.series, "r", Revision(before), form).unwrap();
        found.iter().map(|identity| identity.sop_instance.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(earlier(3, "BINARY"), ["2.25.1.1.1", "2.25.1.1.2"]);
    assert!(earlier(1, "BINARY").is_empty() && earlier(3, "LABELMAP").is_empty());
}

#[test]
fn every_state_is_counted_also_with_none_in_it() {
    let bench = Bench::new();
    let (spool, _) = running(&bench, PACS);
    let counts = spool.counts().unwrap();
    assert_eq!(counts.spool_bytes, spool.spool_bytes());
    assert_eq!((counts.jobs["running"], counts.jobs["queued"], counts.jobs.len()), (1, 0, 6));
    assert_eq!((counts.series["closed"], counts.series.len()), (1, 4));
    assert_eq!((counts.deliveries["waiting"], counts.deliveries.len()), (0, 3));
}
