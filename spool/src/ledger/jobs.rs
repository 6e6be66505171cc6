//! Jobs: taken by a worker, ended by their results or by quarantine.

use domain::{
    InstanceIdentity, Job, JobId, Moment, Predecessor, Revision, SeriesInstanceUid, SpooledInstance,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::rows::{self, integer};
use super::{Halt, Ledger, ask};
use crate::SpoolError;

impl Ledger {
    /// Takes the oldest queued job and the instances that its revision of the series had. A job whose rule has one running on an
    /// earlier revision waits for the end of that: its results name those of the earlier one.
    pub(crate) fn claim_job(
        &self,
        now: Moment,
    ) -> Result<Option<(Job, Vec<SpooledInstance>)>, SpoolError> {
        self.write("take a job", |transaction| {
            let mut claim = transaction.prepare_cached(
                "UPDATE jobs SET state = 'running', started_at = ?1 WHERE id =
                   (SELECT id FROM jobs AS queued WHERE state = 'queued' AND NOT EXISTS
                      (SELECT 1 FROM jobs AS running WHERE running.series = queued.series
                         AND running.rule = queued.rule AND running.state = 'running')
                    ORDER BY id LIMIT 1)
                 RETURNING *",
            )?;
            let now = integer(now.unix_millis());
            let Some(job) = claim.query_row([now], |row| job(transaction, row)).optional()? else {
                return Ok(None);
            };
            let instances = self.instances_of(transaction, &job.series, job.revision)?;
            Ok(Some((job, instances)))
        })
    }

    /// Sets a running job aside.
    pub(crate) fn job_quarantined(
        &self,
        job: JobId,
        code: &str,
        reason: &str,
        now: Moment,
    ) -> Result<(), SpoolError> {
        self.write("quarantine a job", |transaction| {
            let mut end = transaction.prepare_cached(
                "UPDATE jobs SET state = 'quarantined', reason_code = :code, reason = :reason,
                   ended_at = :now
                 WHERE id = :job AND state = 'running'",
            )?;
            let now = integer(now.unix_millis());
            let changed = end.execute(
                named_params! { ":job": job.0, ":code": code, ":reason": reason, ":now": now },
            )?;
            one_running(job, changed)
        })
    }

    /// The report of the same rule on the newest earlier revision that has one.
    pub(crate) fn predecessor(
        &self,
        series: &SeriesInstanceUid,
        rule: &str,
        before: Revision,
        form: &str,
    ) -> Result<Option<Predecessor>, SpoolError> {
        self.read("look up the earlier report", |connection| {
            let mut find = connection.prepare_cached(
                "SELECT results.* FROM jobs JOIN results ON results.job = jobs.id
                 WHERE jobs.series = ?1 AND jobs.rule = ?2 AND jobs.revision < ?3
                   AND results.kind = 'report' AND results.form = ?4
                 ORDER BY jobs.revision DESC LIMIT 1",
            )?;
            let found = find.query_row((series.as_str(), rule, before.0, form), |row| {
                let identity = rows::identity(row)?;
                Ok(Predecessor {
                    study: identity.study,
                    series: identity.series,
                    sop_class: identity.sop_class,
                    sop_instance: identity.sop_instance,
                })
            });
            found.optional()
        })
    }

    /// The results of a form that the same rule made of the newest earlier revision that has some.
    pub(crate) fn earlier_results(
        &self,
        series: &SeriesInstanceUid,
        rule: &str,
        before: Revision,
        form: &str,
    ) -> Result<Vec<InstanceIdentity>, SpoolError> {
        self.read("look up the earlier results", |connection| {
            let mut find = connection.prepare_cached(
                "SELECT results.* FROM results WHERE results.form = ?4 AND results.job =
                   (SELECT jobs.id FROM jobs JOIN results ON results.job = jobs.id
                    WHERE jobs.series = ?1 AND jobs.rule = ?2 AND jobs.revision < ?3
                      AND results.form = ?4
                    ORDER BY jobs.revision DESC LIMIT 1)
                 ORDER BY results.ordinal",
            )?;
            let found = find.query_map((series.as_str(), rule, before.0, form), rows::identity)?;
            found.collect()
        })
    }

    /// Queues jobs again that were running when the node ended; one that a later revision has overtaken is superseded.
    pub(crate) fn requeue_running(&self, now: Moment) -> Result<usize, SpoolError> {
        self.write("queue running jobs again", |transaction| {
            let requeued = transaction
                .execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'", [])?;
            supersede_overtaken(transaction, now)?;
            Ok(requeued)
        })
    }
}

/// Refuses when no running job was changed.
pub(super) fn one_running(job: JobId, changed: usize) -> Result<(), Halt> {
    if changed == 1 { Ok(()) } else { Err(SpoolError::JobNotRunning { job: job.0 }.into()) }
}

/// Supersedes queued jobs whose rule has a job on a later revision of the series.
pub(super) fn supersede_overtaken(transaction: &Transaction<'_>, now: Moment) -> Result<(), Halt> {
    transaction.execute(
        "UPDATE jobs SET state = 'superseded', ended_at = ?1 WHERE state = 'queued' AND EXISTS
           (SELECT 1 FROM jobs AS later WHERE later.series = jobs.series
              AND later.rule = jobs.rule AND later.revision > jobs.revision)",
        [integer(now.unix_millis())],
    )?;
    Ok(())
}

fn job(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: rows::job_id(row, "id")?,
        study: rows::study(row)?,
        series: rows::series(row)?,
        revision: rows::revision(row)?,
        rule: row.get("rule")?,
        model: row.get("model")?,
        ask: ask::from_json(&row.get::<_, String>("ask")?)?,
        destinations: rows::from_json(connection, &row.get::<_, String>("destinations")?)?,
    })
}
