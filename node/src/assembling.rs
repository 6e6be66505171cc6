//! Verbs 3 and 4 on their thread: arrivals and time go into `domain::Assembler`, jobs come out in the ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use domain::{
    After, Assembled, Assembler, Limits, Moment, RoutingTable, Rule, SeriesInstanceUid,
    SpooledInstance, StudyInstanceUid, Unsuitable, Verdict, Waits,
};
use series::{ReadFault, SourceInstance};
use spool::{NewJob, Spool, SpoolError};
use thiserror::Error;

use crate::ahead::{Ahead, Word};
use crate::bell::Bell;
use crate::clock;
use crate::pipeline;
use crate::receive::Arrival;

/// The longest the thread sleeps; deadlines and arrivals wake it earlier.
const NAP: Duration = Duration::from_secs(5);
/// Pause before a series whose closing failed, for instance on a full disk, is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How often it is tried to read what is there and the system does not let us read; after that it counts as unreadable.
const READ_TRIES_MAX: u32 = 10;

/// Tries in vain to read what became complete.
type Tries = BTreeMap<Assembled, u32>;

/// Why something stays open.
#[derive(Debug, Error)]
enum NotClosed {
    /// The ledger does not take it.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The system does not let us read it; the last try does not end so.
    #[error(transparent)]
    Unread(#[from] ReadFault),
}

/// What the thread works with.
#[derive(Debug)]
pub(crate) struct Assembling {
    /// Where series lie and jobs go.
    pub(crate) spool: Arc<Spool>,
    /// The rules.
    pub(crate) routing: RoutingTable,
    /// Bounds on headers and series.
    pub(crate) limits: Limits,
    /// How long is waited before a series is complete.
    pub(crate) waits: Waits,
    /// Who answers slices of series that still arrive; nobody without.
    pub(crate) ahead: Option<Ahead>,
    /// Rung when there are jobs.
    pub(crate) jobs: Arc<Bell>,
}

impl Assembling {
    /// Runs until [`Arrival::Stop`] or until nobody can send any more.
    pub(crate) fn run(&self, arrivals: &Receiver<Arrival>) {
        let (mut assembler, mut tries) = (self.resume(), Tries::new());
        loop {
            let deadline = assembler.next_deadline();
            let wait = deadline.map_or(NAP, |at| at.since(clock::now()).min(NAP));
            match arrivals.recv_timeout(wait) {
                Ok(Arrival::Instance { instance, association }) => {
                    let (study, series) = (&instance.identity.study, &instance.identity.series);
                    assembler.on_instance(study, series, Some(association), clock::now());
                    self.tell_ahead(|| Word::Instance(instance, association));
                }
                Ok(Arrival::AssociationClosed(association, parting)) => {
                    assembler.on_association_closed(association, parting, clock::now());
                    self.tell_ahead(|| Word::AssociationClosed(association));
                }
                Ok(Arrival::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    return self.tell_ahead(|| Word::Stop);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Also between arrivals: a steady stream of one series must not keep another from closing.
            let now = clock::now();
            if assembler.next_deadline().is_some_and(|at| at <= now) {
                self.on_time(&mut assembler, &mut tries, now);
            }
        }
    }

    fn tell_ahead(&self, word: impl FnOnce() -> Word) {
        if let Some(ahead) = &self.ahead {
            ahead.tell(word());
        }
    }

    /// The machine as the ledger remembers it.
    fn resume(&self) -> Assembler {
        let mut assembler = Assembler::new(self.waits);
        match self.spool.open_series() {
            Ok(open) => {
                for row in open {
                    assembler.on_instance(&row.study, &row.series, None, row.last_received);
                }
            }
            Err(error) => tracing::error!(%error, "open series cannot be read from the ledger"),
        }
        match self.spool.pending_studies() {
            Ok(studies) => studies.iter().for_each(|(s, at)| assembler.on_pending_study(s, *at)),
            Err(error) => tracing::error!(%error, "pending studies cannot be read from the ledger"),
        }
        assembler
    }

    fn on_time(&self, assembler: &mut Assembler, tries: &mut Tries, now: Moment) {
        for event in assembler.on_timeout(now) {
            let is_last_try = tries.get(&event).is_some_and(|tries| tries + 1 >= READ_TRIES_MAX);
            let closed = match &event {
                Assembled::Series { series, .. } => self
                    .close_series(series, is_last_try, now)
                    .map(|study| assembler.on_pending_study(&study, now)),
                Assembled::Study { study } => self.close_study(study, is_last_try, now),
            };
            match closed {
                Ok(()) => drop(tries.remove(&event)),
                Err(error) => {
                    if matches!(error, NotClosed::Unread(_)) {
                        *tries.entry(event.clone()).or_default() += 1;
                    }
                    try_again(assembler, &event, &error, now.plus(TRY_AGAIN));
                }
            }
        }
    }

    /// The study that the ledger has for the series; the instance that opened it may have said another.
    fn close_series(
        &self,
        series: &SeriesInstanceUid,
        is_last_try: bool,
        now: Moment,
    ) -> Result<StudyInstanceUid, NotClosed> {
        let instances = self.spool.series_instances(series)?;
        let (jobs, note) = self.jobs_for(&instances, After::Series, is_last_try)?;
        let closed = self.spool.close_series(series, &instances, &jobs, note.as_deref(), now)?;
        if let Some(ahead) = &self.ahead {
            ahead.series_closed(series, jobs.iter().map(|job| job.rule.as_str()));
        }
        let (count, revision) = (instances.len(), closed.revision.0);
        tracing::info!(%series, instances = count, revision, jobs = jobs.len(), note, "series closed");
        self.jobs.ring();
        Ok(closed.study)
    }

    fn close_study(
        &self,
        study: &StudyInstanceUid,
        is_last_try: bool,
        now: Moment,
    ) -> Result<(), NotClosed> {
        let mut jobs = Vec::new();
        let asked = if self.asks_studies() { self.spool.study_series(study)? } else { vec![] };
        for series in asked {
            let instances = self.spool.series_instances(&series)?;
            let (taken, _) = self.jobs_for(&instances, After::Study, is_last_try)?;
            jobs.extend(taken.into_iter().map(|job| (series.clone(), job)));
        }
        self.spool.add_study_jobs(study, &jobs, now)?;
        tracing::info!(%study, jobs = jobs.len(), "study complete");
        self.jobs.ring();
        Ok(())
    }

    /// Whether a rule waits for studies; without one the headers of all their series need not be read again.
    fn asks_studies(&self) -> bool {
        self.routing.rules.iter().any(|rule| rule.after == After::Study)
    }

    /// The jobs that rules ask for, and, where there is none, a note for `status` that says why. For a series that cannot be used
    /// as a whole rules are asked about what of it can be read, so that its job goes to quarantine and is seen there.
    fn jobs_for(
        &self,
        instances: &[SpooledInstance],
        after: After,
        is_last_try: bool,
    ) -> Result<(Vec<NewJob>, Option<String>), ReadFault> {
        let Some(first) = instances.first() else {
            return Ok((vec![], Some("no instances".into())));
        };
        let paths: Vec<_> = instances.iter().map(|instance| instance.path.clone()).collect();
        let (headers, fault) = match series::read_instances(&paths, &self.limits) {
            Ok(headers) => (headers, None),
            Err(fault @ ReadFault::System { .. }) if !is_last_try => return Err(fault),
            Err(fault) => (readable(&paths, &self.limits), Some(Unsuitable::from(fault))),
        };
        let origin = (Some(first.calling.clone()), Some(first.called.clone()));
        let facts = series::facts(&headers, origin.0, origin.1);
        let verdicts = pipeline::route(&facts, &self.routing, after);
        let jobs: Vec<_> =
            verdicts.iter().filter(|(_, v)| *v == Verdict::Taken).map(new_job).collect();
        let note = jobs.is_empty().then(|| match fault {
            Some(unsuitable) => format!("{unsuitable}; {}", refusals(&verdicts)),
            None => refusals(&verdicts),
        });
        Ok((jobs, note))
    }
}

/// What became complete and could not be closed becomes complete again.
fn try_again(assembler: &mut Assembler, event: &Assembled, error: &NotClosed, at: Moment) {
    match event {
        Assembled::Series { study, series } => {
            tracing::warn!(%series, %error, "series stays open");
            assembler.on_instance(study, series, None, at);
        }
        Assembled::Study { study } => {
            tracing::warn!(%study, %error, "study stays open");
            assembler.on_pending_study(study, at);
        }
    }
}

/// The headers that can be read of the first instances, as many as a series may have.
fn readable(paths: &[PathBuf], limits: &Limits) -> Vec<Arc<SourceInstance>> {
    let first = paths.chunks(1).take(limits.series_instances_max);
    first.filter_map(|path| series::read_instances(path, limits).ok()).flatten().collect()
}

fn new_job((rule, _): &(&Rule, Verdict)) -> NewJob {
    NewJob {
        rule: rule.name.clone(),
        model: rule.model.clone(),
        ask: rule.ask.clone(),
        destinations: rule.destinations.clone(),
    }
}

fn refusals(verdicts: &[(&Rule, Verdict)]) -> String {
    let said = |(rule, verdict): &(&Rule, Verdict)| match verdict {
        Verdict::Refused(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            format!("{}: {}", rule.name, reasons.join(", "))
        }
        Verdict::NotAsked { stopped_by } => format!("{}: {stopped_by} stopped", rule.name),
        Verdict::Taken => format!("{}: taken", rule.name),
    };
    let said: Vec<_> = verdicts.iter().map(said).collect();
    if said.is_empty() {
        "no rule".into()
    } else {
        format!("no rule takes it: {}", said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use dataset::{DataSet, FileMeta, Vr, tags};
    use domain::{
        AeTitle, Ask, Condition, Durability, GeometryRange, InstanceIdentity, SopClassUid,
        SopInstanceUid, Test, Then, TransferSyntaxUid,
    };

    use super::*;

    fn rule(name: &str, modality: &str, after: After) -> Rule {
        let test = Test::OneOf(vec![modality.into()]);
        Rule {
            name: name.into(),
            conditions: vec![Condition { tag: tags::MODALITY, keyword: "Modality".into(), test }],
            calling: vec![],
            called: vec![],
            slices: GeometryRange::default(),
            slice_spacing_mm: GeometryRange::default(),
            orientation: vec![],
            model: "m".into(),
            ask: Ask::default(),
            destinations: vec![],
            then: Then::Continue,
            after,
        }
    }

    fn assembling(folder: &Path, rules: Vec<Rule>) -> Assembling {
        let limits = Limits { series_instances_max: 2, ..Limits::default() };
        let clock = Arc::new(clock::now);
        let (spool, _) =
            Spool::open(&folder.join("data"), &limits, Durability::Cache, clock).unwrap();
        let second = Duration::from_secs(1);
        Assembling {
            spool: Arc::new(spool),
            routing: RoutingTable { rules },
            limits,
            waits: Waits { quiet: second, release_quiet: second, association_wait: second },
            ahead: None,
            jobs: Arc::default(),
        }
    }

    /// A CT instance, whose file is cut where it is said so.
    fn instance(folder: &Path, number: usize, is_cut: bool) -> SpooledInstance {
        let uid = format!("1.3.{number}");
        let identity = InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").unwrap(),
            series: SeriesInstanceUid::parse("1.2").unwrap(),
            sop_instance: SopInstanceUid::parse(&uid).unwrap(),
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
        };
        let mut set = DataSet::new();
        set.put_text(tags::MODALITY, Vr::CS, "CT");
        set.put_uid(tags::STUDY_INSTANCE_UID, "1.1");
        set.put_uid(tags::SERIES_INSTANCE_UID, "1.2");
        let mut file = dataset::encode_file(&FileMeta::of(&identity), &set);
        file.truncate(if is_cut { 200 } else { file.len() });
        let (path, title) = (folder.join(&uid), AeTitle::parse("A").unwrap());
        fs::write(&path, &file).unwrap();
        let file_bytes = u64::try_from(file.len()).unwrap();
        let (calling, called) = (title.clone(), title);
        SpooledInstance { identity, path, file_bytes, calling, called, received_at: clock::now() }
    }

    fn names(jobs: &[NewJob]) -> Vec<&str> {
        jobs.iter().map(|job| job.rule.as_str()).collect()
    }

    #[test]
    fn series_are_asked_again_when_a_rule_waits_for_their_study() {
        for (after, asks) in [(After::Series, false), (After::Study, true)] {
            let dir = tempfile::tempdir().unwrap();
            let rules = vec![rule("first", "CT", After::Series), rule("second", "CT", after)];
            assert_eq!(assembling(dir.path(), rules).asks_studies(), asks);
        }
    }

    #[test]
    fn what_a_rule_would_take_gets_its_job_though_it_cannot_be_used() {
        let dir = tempfile::tempdir().unwrap();
        let rules = ["CT", "MR"].map(|modality| rule(modality, modality, After::Series));
        let assembling = assembling(dir.path(), rules.into());
        let of = |number, is_cut| instance(dir.path(), number, is_cut);
        let three = [of(1, false), of(2, false), of(3, false)];
        let (jobs, note) = assembling.jobs_for(&three, After::Series, false).unwrap();
        assert_eq!((names(&jobs), note), (vec!["CT"], None), "too large");
        let (jobs, note) =
            assembling.jobs_for(&[of(4, true), of(5, false)], After::Series, false).unwrap();
        assert_eq!((names(&jobs), note), (vec!["CT"], None), "one cannot be read");
        let (jobs, note) = assembling.jobs_for(&[of(6, true)], After::Series, false).unwrap();
        assert!(jobs.is_empty(), "nobody knows what it is");
        let note = note.unwrap();
        assert!(note.starts_with("unreadable: ") && note.contains("no rule takes it"), "{note}");
    }

    /// What finds a series of one instance.
    fn with_series(folder: &Path, rule_after: After) -> Assembling {
        let path = file_of(folder);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(instance(folder, 1, false).path, &path).unwrap();
        assembling(folder, vec![rule("r", "CT", rule_after)])
    }

    /// The file of the instance.
    fn file_of(folder: &Path) -> PathBuf {
        folder.join("data/instances/1.1/1.2/1.3.1.dcm")
    }

    /// What finds a series whose only file the system does not let it read, and the path of that file.
    fn unread(folder: &Path, rule_after: After) -> (Assembling, PathBuf) {
        let (assembling, path) = (with_series(folder, rule_after), file_of(folder));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        (assembling, path)
    }

    /// Lets the next thing become complete.
    fn pass(assembling: &Assembling, assembler: &mut Assembler, tries: &mut Tries) {
        let now = assembler.next_deadline().unwrap();
        assembling.on_time(assembler, tries, now);
    }

    #[test]
    fn a_series_that_the_system_does_not_let_us_read_closes_when_it_does() {
        for after in [After::Series, After::Study] {
            let dir = tempfile::tempdir().unwrap();
            let (assembling, path) = unread(dir.path(), after);
            let (mut assembler, mut tries) = (assembling.resume(), Tries::new());
            for _ in 0..3 {
                pass(&assembling, &mut assembler, &mut tries);
                assert_eq!(assembling.spool.open_series().unwrap().len(), 1);
            }
            fs::remove_dir(&path).unwrap();
            fs::copy(dir.path().join("1.3.1"), &path).unwrap();
            pass(&assembling, &mut assembler, &mut tries);
            assert_eq!(assembling.spool.open_series().unwrap(), []);
            pass(&assembling, &mut assembler, &mut tries);
            let snapshot = assembling.spool.snapshot().unwrap();
            assert_eq!((snapshot.jobs.len(), tries.len()), (1, 0), "{after:?}");
        }
    }

    #[test]
    fn a_series_that_can_never_be_read_closes_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let (assembling, _) = unread(dir.path(), After::Series);
        let (mut assembler, mut tries) = (assembling.resume(), Tries::new());
        for _ in 1..READ_TRIES_MAX {
            pass(&assembling, &mut assembler, &mut tries);
            assert_eq!(assembling.spool.open_series().unwrap().len(), 1);
        }
        pass(&assembling, &mut assembler, &mut tries);
        let row = assembling.spool.snapshot().unwrap().series.remove(0);
        assert_eq!((row.state.as_str(), tries.len()), ("closed", 0));
        assert!(row.note.unwrap().starts_with("unreadable: "));
    }

    #[test]
    fn a_series_that_came_under_two_studies_leaves_neither_pending() {
        let dir = tempfile::tempdir().unwrap();
        let assembling = with_series(dir.path(), After::Study);
        let (mut assembler, mut tries) = (Assembler::new(assembling.waits), Tries::new());
        let other = StudyInstanceUid::parse("1.9").unwrap();
        let series = SeriesInstanceUid::parse("1.2").unwrap();
        assembler.on_instance(&other, &series, None, clock::now());
        pass(&assembling, &mut assembler, &mut tries);
        assert_eq!(assembling.spool.pending_studies().unwrap().len(), 1);
        pass(&assembling, &mut assembler, &mut tries);
        assert_eq!(assembling.spool.pending_studies().unwrap(), []);
        assert_eq!(assembling.spool.snapshot().unwrap().jobs.len(), 1);
    }
}
