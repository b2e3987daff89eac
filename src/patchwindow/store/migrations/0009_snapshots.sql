-- Baselines as patch operations go by them. A new table: of operations that came before, no snapshot was made.
CREATE TABLE snapshot (
  snapshot_id TEXT NOT NULL,
  patch_group TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  override TEXT NOT NULL,
  made_at_ms BIGINT NOT NULL,
  baseline_id TEXT,
  baseline_revision BIGINT,
  body TEXT,
  PRIMARY KEY (snapshot_id, patch_group, operating_system, override, made_at_ms)
);
CREATE INDEX snapshot_by_time ON snapshot (made_at_ms);
