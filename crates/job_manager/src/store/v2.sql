-- Version 2: every run of a replaced script is counted.
CREATE TABLE fallbacks (
  id INTEGER PRIMARY KEY,
  tool TEXT NOT NULL,
  reason TEXT NOT NULL,
  job INTEGER NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX fallbacks_by_tool ON fallbacks (tool, reason, at);
