-- The ledger of a parsenode. Times are milliseconds since 1970-01-01T00:00:00Z.
-- Try: SELECT datetime(last_received / 1000, 'unixepoch'), * FROM series;

CREATE TABLE studies (
  study       TEXT PRIMARY KEY,
  pending     INTEGER NOT NULL DEFAULT 0, -- 1: a series closed since the rules that wait for the study were asked
  last_closed INTEGER                     -- when a series of it closed last
) STRICT;

CREATE TABLE series (
  series         TEXT PRIMARY KEY,
  study          TEXT NOT NULL REFERENCES studies (study), -- the study of its first instance
  state          TEXT NOT NULL CHECK (state IN ('open', 'closed', 'purging', 'purged')),
  revision       INTEGER NOT NULL DEFAULT 0, -- how often it has closed
  instance_count INTEGER NOT NULL DEFAULT 0, -- in the spool; before the purge, if it is purged
  last_received  INTEGER NOT NULL,
  closed_at      INTEGER,                    -- the last time
  note           TEXT,                       -- why no rule took it when it closed last
  calling        TEXT NOT NULL,              -- AE title of the sender of its first instance
  called         TEXT NOT NULL               -- and the title that it called
) STRICT;
CREATE INDEX series_by_state ON series (state);
CREATE INDEX series_by_study ON series (study);

-- One row for each file instances/<study>/<series>/<sop_instance>.dcm, and the other way round.
CREATE TABLE instances (
  study           TEXT NOT NULL,
  series          TEXT NOT NULL REFERENCES series (series),
  sop_instance    TEXT NOT NULL,
  sop_class       TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  file_bytes      INTEGER NOT NULL,
  received_at     INTEGER NOT NULL,
  revision        INTEGER NOT NULL, -- the first closing of the series that has it
  calling         TEXT NOT NULL,
  called          TEXT NOT NULL,
  PRIMARY KEY (series, sop_instance, study)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  study        TEXT NOT NULL,
  series       TEXT NOT NULL REFERENCES series (series),
  revision     INTEGER NOT NULL,
  rule         TEXT NOT NULL,
  model        TEXT NOT NULL,
  prompts      TEXT NOT NULL, -- JSON array of texts
  destinations TEXT NOT NULL, -- JSON array of names
  state        TEXT NOT NULL CHECK
    (state IN ('queued', 'running', 'delivering', 'done', 'quarantined', 'superseded')),
  reason_code  TEXT,          -- of the quarantine
  reason       TEXT,
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,       -- the last time
  ended_at     INTEGER,       -- done, quarantined or superseded
  UNIQUE (series, revision, rule)
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, id);

CREATE TABLE results (
  job             INTEGER NOT NULL REFERENCES jobs (id),
  ordinal         INTEGER NOT NULL, -- from 0, in the order of delivery
  kind            TEXT NOT NULL,    -- segmentation, report
  study           TEXT NOT NULL,
  series          TEXT NOT NULL,
  sop_instance    TEXT NOT NULL,
  sop_class       TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  file_bytes      INTEGER NOT NULL,
  path            TEXT,             -- below this folder; NULL after the purge
  PRIMARY KEY (job, ordinal)
) STRICT;

CREATE TABLE deliveries (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  job         INTEGER NOT NULL REFERENCES jobs (id),
  destination TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_at     INTEGER NOT NULL, -- not before this
  reason      TEXT,             -- of the last failure
  ended_at    INTEGER,
  UNIQUE (job, destination)
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (state, next_at);
