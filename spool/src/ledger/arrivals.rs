//! Instances that became durable.

use std::collections::BTreeSet;

use domain::{AeTitle, InstanceIdentity, Moment, SpooledInstance};
use rusqlite::{OptionalExtension, Transaction, named_params};

use super::rows::{self, integer};
use super::{Halt, Ledger, Sync};
use crate::SpoolError;

/// What an instance changed in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The series did not have it.
    New,
    /// The series had it with another content; the newer one took its place.
    Replaced,
    /// The series had it with the same data set: nothing changed, the series does not open again.
    Identical,
}

/// An instance whose file is in its place.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// What it is.
    pub(crate) identity: InstanceIdentity,
    /// Length of its file.
    pub(crate) file_bytes: u64,
    /// Title of the sender.
    pub(crate) calling: AeTitle,
    /// Title that it called.
    pub(crate) called: AeTitle,
    /// The file that was there before had the same data set, so it was kept.
    pub(crate) is_same: bool,
}

impl Ledger {
    /// Records a batch of instances as one transaction; the answers are in its order.
    ///
    /// Loss of power may take back what comes to series that are open: the files are there, and the next start records them.
    /// A series that opens is synced, because files of a purged one are taken for leftovers.
    pub(crate) fn record(
        &self,
        arrivals: &[Arrival],
        now: Moment,
    ) -> Result<Vec<(SpooledInstance, Change)>, SpoolError> {
        let record_all = |transaction: &Transaction<'_>| -> Result<Vec<_>, Halt> {
            arrivals.iter().map(|arrival| self.record_one(transaction, arrival, now)).collect()
        };
        let grown = self.write_as(Sync::Normal, "record instances", |transaction| {
            if are_open(transaction, arrivals)? {
                record_all(transaction).map(Some)
            } else {
                Ok(None)
            }
        })?;
        match grown {
            Some(recorded) => Ok(recorded),
            None => self.write("record instances", record_all),
        }
    }

    /// Opens a series again because an instance of it is about to be replaced, and writes down that nobody knows what its
    /// file is, by a length of 0.
    ///
    /// This comes before the files are touched: when the node dies or the disk fails in between, the series closes once more
    /// with what is there then, and no replacement goes unnoticed, also when what comes again is there already.
    pub(crate) fn reopen(
        &self,
        identity: &InstanceIdentity,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.write("open a series again", |transaction| {
            let mut reopen = transaction.prepare_cached(
                "UPDATE series SET state = 'open', last_received = max(last_received, :now)
                 WHERE series = :series AND state = 'closed'",
            )?;
            let series = identity.series.as_str();
            reopen.execute(named_params! { ":series": series, ":now": millis(now) })?;
            let mut unknown = transaction.prepare_cached(
                "UPDATE instances SET file_bytes = 0
                 WHERE series = ?1 AND sop_instance = ?2 AND study = ?3",
            )?;
            let sop_instance = identity.sop_instance.as_str();
            unknown.execute((series, sop_instance, identity.study.as_str()))?;
            Ok(())
        })
    }

    /// Records one instance within a transaction.
    pub(super) fn record_one(
        &self,
        transaction: &Transaction<'_>,
        arrival: &Arrival,
        now: Moment,
    ) -> Result<(SpooledInstance, Change), Halt> {
        let earlier = self.find(transaction, &arrival.identity)?;
        let change = match &earlier {
            None => Change::New,
            Some(earlier) if !arrival.is_same || earlier.file_bytes == 0 => Change::Replaced,
            Some(earlier) => return Ok((earlier.clone(), Change::Identical)),
        };
        // A replacement never has the time of what it replaces, so that whoever looked before can tell.
        let after = |earlier: &SpooledInstance| earlier.received_at.unix_millis() + 1;
        let earliest = earlier.as_ref().map_or(0, after);
        let received_at = now.max(Moment::from_unix_millis(earliest));
        if !grow_series(transaction, arrival, received_at, change)? {
            open_series(transaction, arrival, received_at, change)?;
        }
        Ok((self.insert_instance(transaction, arrival, received_at)?, change))
    }

    fn find(
        &self,
        transaction: &Transaction<'_>,
        identity: &InstanceIdentity,
    ) -> rusqlite::Result<Option<SpooledInstance>> {
        let mut find = transaction.prepare_cached(
            "SELECT * FROM instances
             WHERE series = :series AND sop_instance = :sop_instance AND study = :study",
        )?;
        let key = named_params! {
            ":series": identity.series.as_str(),
            ":sop_instance": identity.sop_instance.as_str(),
            ":study": identity.study.as_str(),
        };
        find.query_row(key, |row| rows::instance(row, &self.root)).optional()
    }

    fn insert_instance(
        &self,
        transaction: &Transaction<'_>,
        arrival: &Arrival,
        received_at: Moment,
    ) -> rusqlite::Result<SpooledInstance> {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO instances (study, series, sop_instance, sop_class, transfer_syntax, file_bytes,
               received_at, revision, calling, called)
             SELECT :study, :series, :sop_instance, :sop_class, :transfer_syntax, :file_bytes,
               :received_at, revision + 1, :calling, :called FROM series WHERE series = :series
             ON CONFLICT DO UPDATE SET
               sop_class = excluded.sop_class, transfer_syntax = excluded.transfer_syntax,
               file_bytes = excluded.file_bytes, received_at = excluded.received_at,
               calling = excluded.calling, called = excluded.called
             RETURNING *",
        )?;
        let values = named_params! {
            ":study": arrival.identity.study.as_str(),
            ":series": arrival.identity.series.as_str(),
            ":sop_instance": arrival.identity.sop_instance.as_str(),
            ":sop_class": arrival.identity.sop_class.as_str(),
            ":transfer_syntax": arrival.identity.transfer_syntax.as_str(),
            ":file_bytes": integer(arrival.file_bytes),
            ":received_at": millis(received_at),
            ":calling": arrival.calling.as_str(),
            ":called": arrival.called.as_str(),
        };
        insert.query_row(values, |row| rows::instance(row, &self.root))
    }
}

/// Whether the series of all arrivals are open already.
fn are_open(transaction: &Transaction<'_>, arrivals: &[Arrival]) -> rusqlite::Result<bool> {
    let series: BTreeSet<&str> =
        arrivals.iter().map(|arrival| arrival.identity.series.as_str()).collect();
    let mut open =
        transaction.prepare_cached("SELECT 1 FROM series WHERE series = ?1 AND state = 'open'")?;
    series.iter().try_fold(true, |all, series| Ok(all && open.exists([*series])?))
}

/// Counts an instance of a series that is open; `false` when it is not. The state stays out of the statement: its index
/// would be written, too.
fn grow_series(
    transaction: &Transaction<'_>,
    arrival: &Arrival,
    received_at: Moment,
    change: Change,
) -> rusqlite::Result<bool> {
    let mut grow = transaction.prepare_cached(
        "UPDATE series SET instance_count = instance_count + :more,
           last_received = max(last_received, :received_at)
         WHERE series = :series AND state = 'open'",
    )?;
    let grown = grow.execute(named_params! {
        ":series": arrival.identity.series.as_str(),
        ":received_at": millis(received_at),
        ":more": i64::from(change == Change::New),
    })?;
    Ok(grown > 0)
}

fn open_series(
    transaction: &Transaction<'_>,
    arrival: &Arrival,
    received_at: Moment,
    change: Change,
) -> rusqlite::Result<()> {
    let mut study =
        transaction.prepare_cached("INSERT OR IGNORE INTO studies (study) VALUES (?1)")?;
    study.execute([arrival.identity.study.as_str()])?;
    let mut series = transaction.prepare_cached(
        "INSERT INTO series (series, study, state, instance_count, last_received, calling, called)
         VALUES (:series, :study, 'open', 1, :received_at, :calling, :called)
         ON CONFLICT (series) DO UPDATE SET
           state = 'open',
           instance_count = iif(state IN ('purging', 'purged'), 0, instance_count) + :more,
           last_received = max(last_received, :received_at)",
    )?;
    series.execute(named_params! {
        ":series": arrival.identity.series.as_str(),
        ":study": arrival.identity.study.as_str(),
        ":received_at": millis(received_at),
        ":calling": arrival.calling.as_str(),
        ":called": arrival.called.as_str(),
        ":more": i64::from(change == Change::New),
    })?;
    Ok(())
}

fn millis(moment: Moment) -> i64 {
    integer(moment.unix_millis())
}
