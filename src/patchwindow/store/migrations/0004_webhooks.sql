-- Webhooks for the tasks that are no commands, and the calls that wait for them.
CREATE TABLE webhook (
  arn TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  timeout_s BIGINT NOT NULL,
  time_limit_s BIGINT NOT NULL,
  ca_pem TEXT,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (arn)
);
CREATE TABLE webhook_call (
  invocation_id TEXT NOT NULL,
  window_execution_id TEXT NOT NULL,
  arn TEXT NOT NULL,
  body TEXT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  ends_at_ms BIGINT NOT NULL,
  due_at_ms BIGINT,
  lease TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  event TEXT,
  details TEXT NOT NULL,
  PRIMARY KEY (invocation_id),
  FOREIGN KEY(invocation_id) REFERENCES task_invocation (invocation_id) ON DELETE CASCADE
);
CREATE INDEX webhook_call_by_due ON webhook_call (due_at_ms);
CREATE INDEX webhook_call_by_execution ON webhook_call (window_execution_id);
-- Until now each invocation was one target, of the only type that could be registered.
ALTER TABLE task_invocation ADD COLUMN target_ordinal BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task_invocation ADD COLUMN target_type TEXT NOT NULL DEFAULT 'INSTANCE';
ALTER TABLE task_invocation ADD COLUMN external_id TEXT;
UPDATE task_invocation SET target_ordinal = ordinal;
