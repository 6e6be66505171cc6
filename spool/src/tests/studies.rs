//! Rules that wait for the study.

use super::bench::{Bench, close, identity, send, wish};

#[test]
fn a_study_is_pending_from_a_closing_until_its_rules_were_asked() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let (a, b) = (identity("1.1", "1.2", "1.3"), identity("1.1", "1.4", "1.5"));
    send(&spool, &a, b"one").unwrap();
    send(&spool, &b, b"two").unwrap();
    assert_eq!(spool.pending_studies().unwrap(), []);
    close(&spool, &a.series, &[], bench.pass(5)).unwrap();
    close(&spool, &b.series, &[], bench.pass(5)).unwrap();
    assert_eq!(spool.pending_studies().unwrap(), [(a.study.clone(), bench.now())]);
    let series = spool.study_series(&a.study).unwrap();
    assert_eq!(series, [a.series.clone(), b.series.clone()]);
    let jobs: Vec<_> = series.into_iter().map(|series| (series, wish("after", &[]))).collect();
    assert_eq!(spool.add_study_jobs(&a.study, &jobs, bench.now()).unwrap().len(), 2);
    assert_eq!(spool.pending_studies().unwrap(), []);
    // Asked again on the same revisions, nothing is queued twice.
    assert_eq!(spool.add_study_jobs(&a.study, &jobs, bench.now()).unwrap(), []);
    // A late instance: its series is left out while open, and asked again when it has closed.
    send(&spool, &identity("1.1", "1.2", "1.9"), b"late").unwrap();
    assert_eq!(spool.study_series(&a.study).unwrap(), std::slice::from_ref(&b.series));
    assert_eq!(spool.add_study_jobs(&a.study, &jobs, bench.now()).unwrap(), []);
    close(&spool, &a.series, &[], bench.now()).unwrap();
    assert_eq!(spool.add_study_jobs(&a.study, &jobs, bench.now()).unwrap().len(), 1);
    let jobs = spool.snapshot().unwrap().jobs;
    let states: Vec<_> = jobs.iter().map(|job| (job.revision.0, job.state.as_str())).collect();
    assert_eq!(states, [(1, "superseded"), (1, "queued"), (2, "queued")]);
}

#[test]
fn the_study_of_a_series_is_that_of_its_first_instance() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let (first, other) = (identity("1.1", "1.2", "1.3"), identity("1.9", "1.2", "1.4"));
    send(&spool, &first, b"one").unwrap();
    send(&spool, &other, b"two").unwrap();
    for _ in 0..2 {
        let closed = close(&spool, &first.series, &[], bench.now()).unwrap();
        assert_eq!(closed.study, first.study);
        assert_eq!(spool.pending_studies().unwrap(), [(closed.study, bench.now())]);
    }
}
