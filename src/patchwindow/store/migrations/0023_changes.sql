-- Every change that people and programs made: who, when, from where, by which operation, of what, before and after.
CREATE TABLE change (
  change_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  number BIGINT NOT NULL,
  caller TEXT NOT NULL,
  comment TEXT NOT NULL,
  address TEXT NOT NULL,
  operation TEXT NOT NULL,
  resource TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  PRIMARY KEY (change_id)
);
CREATE INDEX change_by_time ON change (at_ms, number, change_id);
CREATE INDEX change_by_resource ON change (resource, at_ms);
