//! When is a series complete? A pure machine over arrivals and time.
//!
//! A series closes when nothing came for the quiet time and every association that brought a part of it has ended;
//! an association that stays open is waited for only so long. A study closes when it has no open series and nothing
//! closed in it for the quiet time. A late instance simply opens its series again: the next closing is a new revision.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{AssociationId, Moment, SeriesInstanceUid, StudyInstanceUid};

/// Something became complete.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A series that still grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSeries {
    /// Its study.
    pub study: StudyInstanceUid,
    /// When its last instance came.
    pub last_received: Moment,
    /// Associations that brought a part of it and are still open.
    pub associations: BTreeSet<AssociationId>,
}

/// The machine. Feed it arrivals, ask it for its deadline, call it when that has passed.
#[derive(Debug)]
pub struct Assembler {
    quiet: Duration,
    association_wait: Duration,
    series: BTreeMap<SeriesInstanceUid, OpenSeries>,
    studies: BTreeMap<StudyInstanceUid, Moment>,
}

impl Assembler {
    /// A machine without open series. `association_wait` is raised to `quiet` where it is shorter.
    #[must_use]
    pub fn new(quiet: Duration, association_wait: Duration) -> Self {
        let association_wait = association_wait.max(quiet);
        Self { quiet, association_wait, series: BTreeMap::new(), studies: BTreeMap::new() }
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
        });
        open.last_received = open.last_received.max(now);
        open.associations.extend(association);
    }

    /// A study whose series are closed, but which was not yet reported complete before a restart.
    pub fn on_pending_study(&mut self, study: &StudyInstanceUid, last_closed: Moment) {
        self.studies.entry(study.clone()).or_insert(last_closed);
    }

    /// An association ended.
    pub fn on_association_closed(&mut self, association: AssociationId) {
        for open in self.series.values_mut() {
            open.associations.remove(&association);
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
        let studies = self.idle_studies().map(|(_, last)| last.plus(self.quiet));
        series.chain(studies).min()
    }

    /// Everything that is complete by `now`: series first, in order of UID, then studies.
    pub fn on_timeout(&mut self, now: Moment) -> Vec<Assembled> {
        let mut events = self.close_series(now);
        events.extend(self.close_studies(now));
        events
    }

    fn closes_at(&self, open: &OpenSeries) -> Moment {
        let wait = if open.associations.is_empty() { self.quiet } else { self.association_wait };
        open.last_received.plus(wait)
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
        let due = |last: Moment| last.plus(self.quiet) <= now;
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
        Assembler::new(Duration::from_secs(10), Duration::from_secs(100))
    }

    #[test]
    fn a_series_waits_for_quiet_and_for_its_association() {
        let (study, series, _) = uids();
        let mut machine = machine();
        machine.on_instance(&study, &series, Some(AssociationId(1)), at(0));
        machine.on_instance(&study, &series, Some(AssociationId(1)), at(5));
        assert_eq!(machine.next_deadline(), Some(at(105)));
        assert_eq!(machine.on_timeout(at(104)), []);
        machine.on_association_closed(AssociationId(1));
        assert_eq!(machine.next_deadline(), Some(at(15)));
        let closed = Assembled::Series { study: study.clone(), series };
        assert_eq!(machine.on_timeout(at(15)), [closed]);
        assert_eq!(machine.next_deadline(), Some(at(25)));
        assert_eq!(machine.on_timeout(at(25)), [Assembled::Study { study }]);
        assert_eq!(machine.next_deadline(), None);
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
