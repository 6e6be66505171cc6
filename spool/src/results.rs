//! Results of a job onto stable storage.

use domain::{InstanceIdentity, JobId, Moment};

use crate::durable::parent;
use crate::ledger::WrittenResult;
use crate::{Spool, SpoolError};

/// A result instance of a job.
#[derive(Debug, Clone)]
pub struct NewResult<'a> {
    /// `segmentation` or `report`; [`Spool::predecessor`] looks for reports.
    pub kind: &'a str,
    /// The form of the set that it belongs to; a destination gets the results of one form.
    pub form: &'a str,
    /// What it is.
    pub identity: InstanceIdentity,
    /// The whole DICOM file (PS3.10).
    pub file: &'a [u8],
}

impl Spool {
    /// Ends a running job by its results, given in order of delivery: their files are made durable, then they and one
    /// delivery for each destination are recorded. The job is `delivering`, or `done` if it has no destination.
    ///
    /// Results are not held back by `spool_bytes_max`: only finished work can leave the spool.
    ///
    /// # Errors
    /// [`SpoolError::JobNotRunning`]; [`SpoolError::Io`], [`SpoolError::DiskFull`] or [`SpoolError::Ledger`], and the job
    /// still counts as running: call again, or let the next start run it again.
    pub fn job_written(
        &self,
        job: JobId,
        results: &[NewResult<'_>],
        now: Moment,
    ) -> Result<(), SpoolError> {
        if !self.ledger.is_running(job)? {
            return Err(SpoolError::JobNotRunning { job: job.0 });
        }
        let written = results
            .iter()
            .map(|result| self.write_result(job, result))
            .collect::<Result<Vec<_>, _>>()?;
        let folder = self.folder.results_of(job);
        if !results.is_empty() {
            self.folder.sync_folder(&folder)?;
            self.folder.sync_folder(parent(&folder))?;
        }
        self.ledger.job_written(job, &written, now)
    }

    fn write_result<'a>(
        &self,
        job: JobId,
        result: &'a NewResult<'_>,
    ) -> Result<WrittenResult<'a>, SpoolError> {
        let name = format!("{}.dcm", result.identity.sop_instance);
        let path = self.folder.results_of(job).join(&name);
        let part = self.next_part();
        let written = self.folder.create_file(&part).and_then(|mut file| {
            self.folder.write(&mut file, &part, &[result.file])?;
            self.folder.sync_file(&file, &part)?;
            self.folder.create_folder(parent(&path))?;
            let earlier = self.folder.length(&path)?.unwrap_or(0);
            self.folder.rename(&part, &path)?;
            Ok(earlier)
        });
        let earlier = written.inspect_err(|_| {
            if let Err(error) = self.folder.remove_file(&part) {
                tracing::warn!(%error, "a part stays until the next start");
            }
        })?;
        let file_bytes = u64::try_from(result.file.len()).unwrap_or(u64::MAX);
        self.room.take_anyway(file_bytes);
        self.room.give_back(earlier);
        let path = format!("results/{}/{name}", job.0);
        Ok(WrittenResult {
            kind: result.kind,
            form: result.form,
            identity: &result.identity,
            file_bytes,
            path,
        })
    }
}
