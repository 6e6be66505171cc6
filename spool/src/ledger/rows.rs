//! Columns to nouns and back.

use std::path::Path;

use domain::{
    AeTitle, InstanceIdentity, JobId, Moment, Revision, SeriesInstanceUid, SopClassUid,
    SopInstanceUid, SpooledInstance, StudyInstanceUid, TransferSyntaxUid,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row, params};

use crate::folder::instance_in;

/// A time or a number of bytes as SQLite keeps it.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number that is never below 0.
pub(super) fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A number that is never below 0, or none.
pub(super) fn optional_number(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    let number = row.get::<_, Option<i64>>(column)?;
    Ok(number.map(|number| u64::try_from(number).unwrap_or(0)))
}

/// A time.
pub(super) fn moment(row: &Row<'_>, column: &str) -> rusqlite::Result<Moment> {
    number(row, column).map(Moment::from_unix_millis)
}

/// A revision.
pub(super) fn revision(row: &Row<'_>) -> rusqlite::Result<Revision> {
    row.get("revision").map(Revision)
}

/// A job's number.
pub(super) fn job_id(row: &Row<'_>, column: &str) -> rusqlite::Result<JobId> {
    row.get(column).map(JobId)
}

/// A text that parses.
pub(super) fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let wrong = |e| Error::FromSqlConversionFailure(0, Type::Text, Box::new(e));
    parse(&text).map_err(wrong)
}

/// A study.
pub(super) fn study(row: &Row<'_>) -> rusqlite::Result<StudyInstanceUid> {
    parsed(row, "study", StudyInstanceUid::parse)
}

/// A series.
pub(super) fn series(row: &Row<'_>) -> rusqlite::Result<SeriesInstanceUid> {
    parsed(row, "series", SeriesInstanceUid::parse)
}

/// The identity of an instance or a result.
pub(super) fn identity(row: &Row<'_>) -> rusqlite::Result<InstanceIdentity> {
    Ok(InstanceIdentity {
        study: study(row)?,
        series: series(row)?,
        sop_instance: parsed(row, "sop_instance", SopInstanceUid::parse)?,
        sop_class: parsed(row, "sop_class", SopClassUid::parse)?,
        transfer_syntax: parsed(row, "transfer_syntax", TransferSyntaxUid::parse)?,
    })
}

/// A row of `instances`, in the spool at `root`.
pub(super) fn instance(row: &Row<'_>, root: &Path) -> rusqlite::Result<SpooledInstance> {
    let identity = identity(row)?;
    Ok(SpooledInstance {
        path: instance_in(root, &identity),
        identity,
        file_bytes: number(row, "file_bytes")?,
        calling: parsed(row, "calling", AeTitle::parse)?,
        called: parsed(row, "called", AeTitle::parse)?,
        received_at: moment(row, "received_at")?,
    })
}

/// Texts as a JSON array; SQLite does the quoting.
pub(super) fn to_json(connection: &Connection, texts: &[String]) -> rusqlite::Result<String> {
    let mut add = connection.prepare_cached("SELECT json_insert(?1, '$[#]', ?2)")?;
    texts.iter().try_fold("[]".to_owned(), |array, text| {
        add.query_row(params![array, text], |row| row.get(0))
    })
}

/// The texts of a JSON array.
pub(super) fn from_json(connection: &Connection, array: &str) -> rusqlite::Result<Vec<String>> {
    let mut each = connection.prepare_cached("SELECT value FROM json_each(?1) ORDER BY key")?;
    let texts = each.query_map([array], |row| row.get(0))?;
    texts.collect()
}
