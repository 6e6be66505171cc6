-- Storage commitment, both ways (PS3.4 Annex J).

-- What we ask: one row for each delivery whose destination is to commit to what it has got.
CREATE TABLE commitments (
  delivery    INTEGER PRIMARY KEY REFERENCES deliveries (id),
  state       TEXT NOT NULL CHECK
    (state IN ('open', 'redelivering', 'committed', 'refused', 'waived')),
  asked       INTEGER NOT NULL DEFAULT 0, -- how often
  redelivered INTEGER NOT NULL DEFAULT 0, -- how often the results were sent again because the archive had lost them
  next_at     INTEGER NOT NULL,           -- when it is asked, or asked again
  reason      TEXT,                       -- of the last failure
  ended_at    INTEGER                     -- committed, refused or waived
) STRICT;
CREATE INDEX commitments_by_state ON commitments (state, next_at);

-- The results that were delivered: rows of results by job and ordinal.
CREATE TABLE commitment_items (
  delivery  INTEGER NOT NULL REFERENCES commitments (delivery),
  ordinal   INTEGER NOT NULL,
  committed INTEGER NOT NULL DEFAULT 0, -- 1: the archive said so
  PRIMARY KEY (delivery, ordinal)
) STRICT, WITHOUT ROWID;

-- Every Transaction UID that we asked under, so that late reports find what they are about.
CREATE TABLE transactions (
  transaction_uid TEXT PRIMARY KEY,
  delivery        INTEGER NOT NULL REFERENCES commitments (delivery),
  asked_at        INTEGER NOT NULL,
  reported_at     INTEGER              -- when the report came
) STRICT, WITHOUT ROWID;
CREATE INDEX transactions_by_delivery ON transactions (delivery);

-- What peers ask of us.
CREATE TABLE requests (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_uid TEXT NOT NULL,
  calling         TEXT NOT NULL, -- AE title of who asks
  called          TEXT NOT NULL, -- and the title that it called
  digest          TEXT NOT NULL, -- tells one list of references from another
  instances       INTEGER NOT NULL, -- how many references it has
  state           TEXT NOT NULL CHECK (state IN ('open', 'reported', 'given-up')),
  received_at     INTEGER NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0, -- reports that were not taken
  next_at         INTEGER NOT NULL,           -- when the report is sent
  reason          TEXT,                       -- why the last report was not taken
  committed       INTEGER,                    -- of the last report: how many instances were there
  failed          INTEGER,                    -- and how many were not
  ended_at        INTEGER,
  UNIQUE (transaction_uid, calling, digest)
) STRICT;
CREATE INDEX requests_by_state ON requests (state, next_at);

-- What an open request is about; gone when it has ended.
CREATE TABLE request_items (
  request      INTEGER NOT NULL REFERENCES requests (id),
  ordinal      INTEGER NOT NULL,
  sop_class    TEXT NOT NULL,
  sop_instance TEXT NOT NULL,
  reason       INTEGER, -- a Failure Reason that is known already
  PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX instances_by_sop_instance ON instances (sop_instance);
