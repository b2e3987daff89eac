-- What is equal for many nodes is kept once: nodes of one cohort have one evaluation. What was found stays as history.
CREATE TABLE evaluation (
  evaluation_id TEXT NOT NULL,
  facts_digest TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  baseline_revision BIGINT NOT NULL,
  overlay TEXT NOT NULL,
  day BIGINT NOT NULL,
  until_day BIGINT,
  standing TEXT NOT NULL,
  status TEXT NOT NULL,
  overall_severity TEXT NOT NULL,
  used_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  patches BYTES,
  PRIMARY KEY (evaluation_id),
  FOREIGN KEY(facts_digest) REFERENCES facts (digest)
);
CREATE INDEX evaluation_by_question ON evaluation (facts_digest, baseline_id, baseline_revision);
CREATE INDEX evaluation_by_use ON evaluation (used_at_ms);
CREATE TABLE cohort (
  cohort_id TEXT NOT NULL,
  facts_digest TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  patch_group TEXT NOT NULL,
  overlay TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  evaluation_id TEXT NOT NULL,
  computed_at_ms BIGINT NOT NULL,
  due_at_ms BIGINT,
  PRIMARY KEY (cohort_id),
  FOREIGN KEY(facts_digest) REFERENCES facts (digest),
  FOREIGN KEY(evaluation_id) REFERENCES evaluation (evaluation_id)
);
CREATE INDEX cohort_by_due ON cohort (due_at_ms, facts_digest);
CREATE INDEX cohort_by_facts ON cohort (facts_digest, due_at_ms);
CREATE INDEX cohort_by_choice ON cohort (operating_system, patch_group);
CREATE INDEX cohort_by_baseline ON cohort (baseline_id);
CREATE INDEX cohort_by_evaluation ON cohort (evaluation_id);
CREATE TABLE standing (
  node_id TEXT NOT NULL,
  cohort_id TEXT NOT NULL,
  scanned_at_ms BIGINT NOT NULL,
  PRIMARY KEY (node_id),
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE,
  FOREIGN KEY(cohort_id) REFERENCES cohort (cohort_id)
) CLUSTERED;
CREATE INDEX standing_by_cohort ON standing (cohort_id, scanned_at_ms);
CREATE TABLE scan (
  node_id TEXT NOT NULL,
  ended_at_ms BIGINT NOT NULL,
  operation TEXT NOT NULL,
  command_id TEXT NOT NULL,
  patch_group TEXT NOT NULL,
  evaluation_id TEXT NOT NULL,
  PRIMARY KEY (node_id, ended_at_ms)
) CLUSTERED;
CREATE INDEX scan_by_time ON scan (ended_at_ms);
CREATE TABLE compliance_day (
  day BIGINT NOT NULL,
  patch_group TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  state TEXT NOT NULL,
  node_count BIGINT NOT NULL,
  PRIMARY KEY (day, patch_group, operating_system, state)
);
CREATE TABLE chore (
  name TEXT NOT NULL,
  due_at_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);
-- Of what is there, each node has a cohort of its own, which is due at once: then it is evaluated as all others are.
INSERT INTO evaluation (evaluation_id, facts_digest, baseline_id, baseline_revision, overlay, day, standing, status, overall_severity, used_at_ms, body)
SELECT node_id, facts_digest, baseline_id, baseline_revision, '', ended_at_ms / 86400000,
  CASE status WHEN 'COMPLIANT' THEN 'Compliant' ELSE 'Missing' END, status, overall_severity, ended_at_ms,
  '{"OverallSeverity":"' || overall_severity || '","Status":"' || status || '",' || substr(body, 2)
FROM patch_state;
INSERT INTO cohort (cohort_id, facts_digest, operating_system, patch_group, overlay, baseline_id, evaluation_id, computed_at_ms, due_at_ms)
SELECT patch_state.node_id, facts_digest,
  coalesce((SELECT baseline.operating_system FROM baseline WHERE baseline.baseline_id = patch_state.baseline_id), node.operating_system),
  node.patch_group, '', baseline_id, patch_state.node_id, ended_at_ms, 0
FROM patch_state JOIN node ON node.node_id = patch_state.node_id;
INSERT INTO standing (node_id, cohort_id, scanned_at_ms) SELECT node_id, node_id, ended_at_ms FROM patch_state;
INSERT INTO scan (node_id, ended_at_ms, operation, command_id, patch_group, evaluation_id)
SELECT node_id, ended_at_ms, CASE WHEN replace(body, '"Operation":"Install"', '') <> body THEN 'Install' ELSE 'Scan' END, command_id, patch_group, node_id
FROM patch_state;
INSERT INTO chore (name, due_at_ms) SELECT 'prune', 0 WHERE EXISTS (SELECT node_id FROM patch_state);
INSERT INTO chore (name, due_at_ms) SELECT 'trend', 0 WHERE EXISTS (SELECT node_id FROM patch_state);
CREATE TABLE patch_state_of_node (
  node_id TEXT NOT NULL,
  installed_at BYTES NOT NULL,
  command_id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (node_id),
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE
);
INSERT INTO patch_state_of_node (node_id, installed_at, command_id, body) SELECT node_id, installed_at, command_id, body FROM patch_state;
DROP TABLE patch_state;
ALTER TABLE patch_state_of_node RENAME TO patch_state;
DROP INDEX node_by_group;
CREATE INDEX node_by_group ON node (patch_group, operating_system, node_id);
CREATE INDEX node_by_ping ON node (pinged_at_ms, node_id);
