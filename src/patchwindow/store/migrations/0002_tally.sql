ALTER TABLE invocation ADD COLUMN stage BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invocation ADD COLUMN due_at_ms BIGINT;
UPDATE invocation SET stage = CASE
  WHEN ended_at_ms IS NOT NULL THEN 3
  WHEN dispatched_at_ms IS NULL THEN 0
  WHEN details IN ('Pending', 'Delayed') THEN 1
  ELSE 2
END;
-- Of what is under way just now no column says how long its node may take to accept it: it gets all the command's time.
UPDATE invocation SET due_at_ms = CASE
  WHEN details = 'Cancelling' THEN cancelled_at_ms + 300000
  ELSE (SELECT expires_at_ms FROM command WHERE command.command_id = invocation.command_id)
END
WHERE stage IN (1, 2) AND details IN ('Pending', 'Delayed', 'Cancelling');
DROP INDEX invocation_by_progress;
DROP INDEX invocation_by_state;
DROP INDEX invocation_by_node;
CREATE INDEX invocation_by_stage ON invocation (command_id, stage, dispatched_at_ms, ordinal);
CREATE INDEX invocation_by_due ON invocation (command_id, due_at_ms);
CREATE INDEX invocation_by_node ON invocation (node_id, stage, command_id);
CREATE TABLE command_tally (
  command_id TEXT NOT NULL,
  stage BIGINT NOT NULL,
  details TEXT NOT NULL,
  invocation_count BIGINT NOT NULL,
  PRIMARY KEY (command_id, stage, details),
  FOREIGN KEY(command_id) REFERENCES command (command_id) ON DELETE CASCADE
);
INSERT INTO command_tally (command_id, stage, details, invocation_count)
SELECT command_id, stage, details, count(*) FROM invocation GROUP BY command_id, stage, details;
