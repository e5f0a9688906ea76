-- Version 1. Frozen: stores written by it must open for ever (tests/fixtures/store_v1.sql). Change by a new file.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Times are milliseconds since 1970, money is nano-dollars.
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tool TEXT NOT NULL,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  input TEXT NOT NULL,
  input_shown TEXT,               -- with secrets hidden, if there are any
  input_hash TEXT NOT NULL,
  mode TEXT NOT NULL,
  working_dir TEXT,
  effects TEXT NOT NULL,
  policy TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  priority INTEGER NOT NULL,
  idempotency_key TEXT,
  concurrency_key TEXT,
  retry_of INTEGER,
  placement TEXT,                 -- the process that keeps it for itself; NULL: any worker
  slots INTEGER NOT NULL,         -- 0 for jobs that run until stopped: they take no slot of the global limit
  state TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  run_after INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  owner TEXT,                     -- the process that runs it
  pid INTEGER,
  pid_start INTEGER,              -- start time of the process in clock ticks since boot
  attempt INTEGER NOT NULL DEFAULT 0,
  interruptions INTEGER NOT NULL DEFAULT 0,
  cancel INTEGER NOT NULL DEFAULT 0,  -- 1 asked, 2 by force
  cancel_by TEXT,
  forced INTEGER NOT NULL DEFAULT 0,
  route TEXT NOT NULL,
  progress TEXT,
  output TEXT,
  error TEXT,
  cost_nanos INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX jobs_by_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_queue ON jobs (priority DESC, id, run_after, family, concurrency_key, placement) WHERE state = 'queued';
-- Jobs that take no slot are looked for also when all slots are taken.
CREATE INDEX jobs_queue_slotless ON jobs (priority DESC, id, run_after, family, concurrency_key, placement)
  WHERE state = 'queued' AND slots = 0;
CREATE INDEX jobs_waiting ON jobs (run_after) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (owner, family, concurrency_key, slots, cancel) WHERE state = 'running';
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_by_tool ON jobs (tool, id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE events (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job, seq)
) WITHOUT ROWID;

CREATE TABLE artifacts (
  job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job, number)
) WITHOUT ROWID;
