-- Version 3: secrets are kept apart, keys belong to who gave them, a feed of changes over all jobs, plans are used once.
ALTER TABLE jobs ADD COLUMN secrets TEXT;            -- file below `secrets/` with what was given, until the job is over
ALTER TABLE jobs ADD COLUMN secret_fields TEXT;      -- paths of the fields whose secrets were given, not named
ALTER TABLE jobs ADD COLUMN plan_of INTEGER;
ALTER TABLE jobs ADD COLUMN artifact_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;  -- position of its last change in the feed

UPDATE jobs SET changed = id, artifact_count = (SELECT count(*) FROM artifacts WHERE job = jobs.id);

DROP INDEX jobs_by_key;
CREATE UNIQUE INDEX jobs_by_key ON jobs (requested_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_plan ON jobs (plan_of) WHERE plan_of IS NOT NULL;
CREATE INDEX jobs_by_family ON jobs (family, id);
CREATE INDEX jobs_by_asker ON jobs (requested_by, id);
CREATE INDEX jobs_by_change ON jobs (changed);

-- One row: the position of the newest change of any job.
CREATE TABLE feed (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL);
INSERT INTO feed SELECT 1, coalesce(max(id), 0) FROM jobs;

CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  UPDATE feed SET position = position + 1;
  UPDATE jobs SET changed = (SELECT position FROM feed) WHERE id = NEW.id;
END;
CREATE TRIGGER jobs_changed AFTER UPDATE OF state, attempt, run_after, cancel, progress, cost_nanos, artifact_count, route
ON jobs BEGIN
  UPDATE feed SET position = position + 1;
  UPDATE jobs SET changed = (SELECT position FROM feed) WHERE id = NEW.id;
END;
