//! When is a series complete? A pure machine over arrivals and time.
//!
//! A series closes when nothing came for the quiet time and every association that brought a part of it has ended;
//! an association that stays open is waited for only so long. After a release, by which a sender says that it has sent
//! everything, another, shorter quiet time may be enough. A study closes when it has no open series and nothing
//! closed in it for the quiet time. A late instance simply opens its series again: the next closing is a new revision.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{AssociationId, Moment, Parting, SeriesInstanceUid, StudyInstanceUid};

/// Something became complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assembled {
    /// A series closed.
    Series {
        /// Its study.
        study: StudyInstanceUid,
        /// The series.
        series: SeriesInstanceUid,
    },
    /// All series of a study are closed.
    Study {
        /// The study.
        study: StudyInstanceUid,
    },
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Quiet time of a series, and of a study.
    pub quiet: Duration,
    /// Quiet time of a series since its last association was released.
    pub release_quiet: Duration,
    /// Quiet time of a series whose association stays open.
    pub association_wait: Duration,
}

/// A series that still grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSeries {
    /// Its study.
    pub study: StudyInstanceUid,
    /// When its last instance came.
    pub last_received: Moment,
    /// Associations that brought a part of it and are still open.
    pub associations: BTreeSet<AssociationId>,
    /// When the last of them was released; `None` when it was aborted or is not known.
    pub released: Option<Moment>,
}

/// The machine. Feed it arrivals, ask it for its deadline, call it when that has passed.
#[derive(Debug)]
pub struct Assembler {
    waits: Waits,
    series: BTreeMap<SeriesInstanceUid, OpenSeries>,
    studies: BTreeMap<StudyInstanceUid, Moment>,
}

impl Assembler {
    /// A machine without open series. `association_wait` is raised to `quiet` where it is shorter.
    #[must_use]
    pub fn new(waits: Waits) -> Self {
        let association_wait = waits.association_wait.max(waits.quiet);
        let waits = Waits { association_wait, ..waits };
        Self { waits, series: BTreeMap::new(), studies: BTreeMap::new() }
    }

    /// An instance became durable. `None` as association stands for one of before a restart: it has ended.
    pub fn on_instance(
        &mut self,
        study: &StudyInstanceUid,
        series: &SeriesInstanceUid,
        association: Option<AssociationId>,
        now: Moment,
    ) {
        let open = self.series.entry(series.clone()).or_insert_with(|| OpenSeries {
            study: study.clone(),
            last_received: now,
            associations: BTreeSet::new(),
            released: None,
        });
        open.last_received = open.last_received.max(now);
        open.released = None;
        open.associations.extend(association);
    }

    /// A series of a study closed, and the study was not yet reported complete: before a restart, or because senders disagree on the
    /// study of the series.
    pub fn on_pending_study(&mut self, study: &StudyInstanceUid, last_closed: Moment) {
        let last = self.studies.entry(study.clone()).or_insert(last_closed);
        *last = (*last).max(last_closed);
    }

    /// An association ended.
    pub fn on_association_closed(
        &mut self,
        association: AssociationId,
        parting: Parting,
        now: Moment,
    ) {
        for open in self.series.values_mut() {
            if open.associations.remove(&association) {
                open.released = (parting == Parting::Released).then_some(now);
            }
        }
    }

    /// Series that are still open.
    pub fn open_series(&self) -> impl Iterator<Item = (&SeriesInstanceUid, &OpenSeries)> {
        self.series.iter()
    }

    /// When to call [`Assembler::on_timeout`] next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let series = self.series.values().map(|open| self.closes_at(open));
        let studies = self.idle_studies().map(|(_, last)| last.plus(self.waits.quiet));
        series.chain(studies).min()
    }

    /// Everything that is complete by `now`: series first, in order of UID, then studies.
    pub fn on_timeout(&mut self, now: Moment) -> Vec<Assembled> {
        let mut events = self.close_series(now);
        events.extend(self.close_studies(now));
        events
    }

    fn closes_at(&self, open: &OpenSeries) -> Moment {
        if !open.associations.is_empty() {
            return open.last_received.plus(self.waits.association_wait);
        }
        let quiet = open.last_received.plus(self.waits.quiet);
        let released = open.released.map(|at| at.plus(self.waits.release_quiet));
        released.map_or(quiet, |released| released.min(quiet))
    }

    fn idle_studies(&self) -> impl Iterator<Item = (&StudyInstanceUid, Moment)> {
        let is_open =
            |study: &StudyInstanceUid| self.series.values().any(|open| open.study == *study);
        self.studies.iter().filter(move |(study, _)| !is_open(study)).map(|(s, last)| (s, *last))
    }

    fn close_series(&mut self, now: Moment) -> Vec<Assembled> {
        let due = |open: &OpenSeries| self.closes_at(open) <= now;
        let closing: Vec<_> =
            self.series.iter().filter(|(_, open)| due(open)).map(|(s, _)| s.clone()).collect();
        let mut events = Vec::new();
        for series in closing {
            if let Some(open) = self.series.remove(&series) {
                self.studies.insert(open.study.clone(), now);
                events.push(Assembled::Series { study: open.study, series });
            }
        }
        events
    }

    fn close_studies(&mut self, now: Moment) -> Vec<Assembled> {
        let due = |last: Moment| last.plus(self.waits.quiet) <= now;
        let closing: Vec<_> =
            self.idle_studies().filter(|(_, last)| due(*last)).map(|(s, _)| s.clone()).collect();
        for study in &closing {
            self.studies.remove(study);
        }
        closing.into_iter().map(|study| Assembled::Study { study }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_millis(seconds * 1000)
    }

    fn uids() -> (StudyInstanceUid, SeriesInstanceUid, SeriesInstanceUid) {
        let series = |text| SeriesInstanceUid::parse(text).unwrap();
        (StudyInstanceUid::parse("1.1").unwrap(), series("1.2"), series("1.3"))
    }

    fn machine() -> Assembler {
        let quiet = Duration::from_secs(10);
        let association_wait = Duration::from_secs(100);
        Assembler::new(Waits { quiet, release_quiet: quiet, association_wait })
    }

    #[test]
    fn a_series_waits_for_quiet_and_for_its_association() {
        let (study, series, _) = uids();
        let mut machine = machine();
        machine.on_instance(&study, &series, Some(AssociationId(1)), at(0));
        machine.on_instance(&study, &series, Some(AssociationId(1)), at(5));
        assert_eq!(machine.next_deadline(), Some(at(105)));
        assert_eq!(machine.on_timeout(at(104)), []);
        machine.on_association_closed(AssociationId(1), Parting::Released, at(8));
        assert_eq!(machine.next_deadline(), Some(at(15)));
        let closed = Assembled::Series { study: study.clone(), series };
        assert_eq!(machine.on_timeout(at(15)), [closed]);
        assert_eq!(machine.next_deadline(), Some(at(25)));
        assert_eq!(machine.on_timeout(at(25)), [Assembled::Study { study }]);
        assert_eq!(machine.next_deadline(), None);
    }

    #[test]
    fn a_release_closes_a_series_sooner_and_an_abort_does_not() {
        let (study, series, _) = uids();
        let release_quiet = Duration::from_secs(2);
        let mut machine = Assembler::new(Waits { release_quiet, ..machine().waits });
        let deadlines = [(Parting::Aborted, at(10)), (Parting::Released, at(5))];
        for (parting, deadline) in deadlines {
            machine.on_instance(&study, &series, Some(AssociationId(1)), at(0));
            machine.on_association_closed(AssociationId(1), parting, at(3));
            assert_eq!(machine.next_deadline(), Some(deadline), "{parting:?}");
        }
        // What comes after the release is waited for as ever, and the quiet time is never made longer.
        machine.on_instance(&study, &series, Some(AssociationId(2)), at(4));
        assert_eq!(machine.next_deadline(), Some(at(104)));
        machine.on_association_closed(AssociationId(2), Parting::Released, at(13));
        assert_eq!(machine.next_deadline(), Some(at(14)));
        machine.on_instance(&study, &series, None, at(14));
        assert_eq!(machine.next_deadline(), Some(at(24)));
    }

    #[test]
    fn an_association_that_never_ends_is_not_waited_for_without_end() {
        let (study, series, _) = uids();
        let mut machine = machine();
        machine.on_instance(&study, &series, Some(AssociationId(1)), at(0));
        assert_eq!(machine.on_timeout(at(100)), [Assembled::Series { study, series }]);
    }

    #[test]
    fn a_study_waits_for_all_its_series() {
        let (study, first, second) = uids();
        let mut machine = machine();
        machine.on_instance(&study, &first, None, at(0));
        machine.on_instance(&study, &second, None, at(18));
        assert_eq!(machine.on_timeout(at(10)).len(), 1);
        assert_eq!(machine.on_timeout(at(20)), []);
        assert_eq!(machine.on_timeout(at(28)).len(), 1);
        assert_eq!(machine.on_timeout(at(38)), [Assembled::Study { study }]);
    }

    #[test]
    fn a_study_that_was_pending_before_a_restart_is_reported() {
        let (study, ..) = uids();
        let mut machine = machine();
        machine.on_pending_study(&study, at(0));
        assert_eq!(machine.on_timeout(at(9)), []);
        assert_eq!(machine.on_timeout(at(10)), [Assembled::Study { study }]);
    }

    #[test]
    fn a_pending_study_waits_for_quiet_since_its_last_series_closed() {
        let (study, ..) = uids();
        let mut machine = machine();
        for last_closed in [at(0), at(5), at(3)] {
            machine.on_pending_study(&study, last_closed);
        }
        assert_eq!(machine.on_timeout(at(14)), []);
        assert_eq!(machine.on_timeout(at(15)), [Assembled::Study { study }]);
    }

    #[test]
    fn a_late_instance_opens_the_series_again() {
        let (study, series, _) = uids();
        let mut machine = machine();
        machine.on_instance(&study, &series, None, at(0));
        assert_eq!(machine.on_timeout(at(10)).len(), 1);
        machine.on_instance(&study, &series, None, at(12));
        assert_eq!(machine.on_timeout(at(20)), []);
        assert_eq!(machine.on_timeout(at(22)), [Assembled::Series { study, series }]);
    }
}
