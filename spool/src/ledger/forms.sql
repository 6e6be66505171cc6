-- Results come in forms, of which a destination gets one.
ALTER TABLE results ADD COLUMN form TEXT NOT NULL DEFAULT 'BINARY'; -- in which form the masks of its set are
ALTER TABLE deliveries ADD COLUMN form TEXT; -- the form that the destination got; NULL until then
