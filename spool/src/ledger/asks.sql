-- A job keeps the whole question to a promptable model, of which its prompts are a part.
ALTER TABLE jobs RENAME COLUMN prompts TO ask; -- JSON object: src/ledger/ask.rs says which keys
UPDATE jobs SET ask = json_object('prompts', json(ask));
