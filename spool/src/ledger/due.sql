-- What is due is found by destination, however much waits.
CREATE INDEX deliveries_waiting ON deliveries (destination, next_at) WHERE state = 'waiting';
ALTER TABLE commitments ADD COLUMN archive TEXT NOT NULL DEFAULT ''; -- destination of the delivery: who is asked
UPDATE commitments SET archive = (SELECT destination FROM deliveries WHERE id = commitments.delivery);
CREATE INDEX commitments_open ON commitments (archive, next_at) WHERE state = 'open';
