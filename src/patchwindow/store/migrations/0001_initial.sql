-- Everything that the first release keeps.
CREATE TABLE access_key (
  access_key_id TEXT NOT NULL,
  secret_access_key TEXT NOT NULL,
  role TEXT NOT NULL,
  comment TEXT NOT NULL,
  is_enabled BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (access_key_id)
);
CREATE TABLE activation (
  activation_id TEXT NOT NULL,
  code_digest TEXT NOT NULL,
  default_instance_name TEXT NOT NULL,
  iam_role TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (activation_id)
);
CREATE TABLE baseline (
  baseline_id TEXT NOT NULL,
  name TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  owner TEXT NOT NULL,
  revision BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (baseline_id)
);
CREATE TABLE baseline_revision (
  baseline_id TEXT NOT NULL,
  revision BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (baseline_id, revision)
);
CREATE TABLE client_token (
  operation TEXT NOT NULL,
  token TEXT NOT NULL,
  digest TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  PRIMARY KEY (operation, token)
);
CREATE INDEX client_token_by_expiry ON client_token (expires_at_ms);
CREATE TABLE command (
  command_id TEXT NOT NULL,
  document_name TEXT NOT NULL,
  requested_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  concurrency BIGINT NOT NULL,
  errors_tolerated BIGINT NOT NULL,
  is_cancel_requested BIGINT NOT NULL,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  target_count BIGINT NOT NULL,
  completed_count BIGINT NOT NULL,
  error_count BIGINT NOT NULL,
  delivery_timed_out_count BIGINT NOT NULL,
  wake_at_ms BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (command_id)
);
CREATE INDEX command_by_time ON command (requested_at_ms, command_id);
CREATE INDEX command_by_wake ON command (wake_at_ms);
CREATE TABLE facts (
  digest TEXT NOT NULL,
  first_seen_at_ms BIGINT NOT NULL,
  body BYTES NOT NULL,
  PRIMARY KEY (digest)
);
CREATE TABLE maintenance_window (
  window_id TEXT NOT NULL,
  name TEXT NOT NULL,
  is_enabled BIGINT NOT NULL,
  next_opening_at_ms BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (window_id)
);
CREATE INDEX maintenance_window_by_opening ON maintenance_window (next_opening_at_ms);
CREATE TABLE message (
  message_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  command_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  visible_at_ms BIGINT NOT NULL,
  PRIMARY KEY (message_id)
);
CREATE INDEX message_by_node ON message (node_id, visible_at_ms);
CREATE TABLE node (
  node_id TEXT NOT NULL,
  activation_id TEXT NOT NULL,
  iam_role TEXT NOT NULL,
  agent_version TEXT NOT NULL,
  platform_type TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  patch_group TEXT NOT NULL,
  pinged_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (node_id)
);
CREATE INDEX node_by_group ON node (patch_group, node_id);
CREATE TABLE setting (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE tag (
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (resource_type, resource_id, key)
);
CREATE INDEX tag_by_key ON tag (resource_type, key, value, resource_id);
CREATE TABLE window_execution (
  window_execution_id TEXT NOT NULL,
  window_id TEXT NOT NULL,
  opens_at_ms BIGINT NOT NULL,
  cutoff_at_ms BIGINT NOT NULL,
  ends_at_ms BIGINT NOT NULL,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  start_at_ms BIGINT NOT NULL,
  end_at_ms BIGINT,
  is_cancel_requested BIGINT NOT NULL,
  wake_at_ms BIGINT,
  PRIMARY KEY (window_execution_id),
  CONSTRAINT window_execution_once UNIQUE (window_id, opens_at_ms)
);
CREATE INDEX window_execution_by_wake ON window_execution (wake_at_ms);
CREATE TABLE default_baseline (
  operating_system TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  PRIMARY KEY (operating_system),
  FOREIGN KEY(baseline_id) REFERENCES baseline (baseline_id)
);
CREATE TABLE invocation (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  node_name TEXT NOT NULL,
  details TEXT NOT NULL,
  dispatched_at_ms BIGINT,
  acknowledged_at_ms BIGINT,
  cancelled_at_ms BIGINT,
  ended_at_ms BIGINT,
  trace_output TEXT NOT NULL,
  PRIMARY KEY (command_id, node_id),
  FOREIGN KEY(command_id) REFERENCES command (command_id) ON DELETE CASCADE
);
CREATE INDEX invocation_by_node ON invocation (node_id, command_id);
CREATE INDEX invocation_by_order ON invocation (command_id, ordinal);
CREATE INDEX invocation_by_progress ON invocation (command_id, ended_at_ms, dispatched_at_ms, ordinal);
CREATE INDEX invocation_by_state ON invocation (command_id, details);
CREATE TABLE patch_group (
  patch_group TEXT NOT NULL,
  operating_system TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  PRIMARY KEY (patch_group, operating_system),
  FOREIGN KEY(baseline_id) REFERENCES baseline (baseline_id)
);
CREATE INDEX patch_group_by_baseline ON patch_group (baseline_id);
CREATE TABLE patch_state (
  node_id TEXT NOT NULL,
  patch_group TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  baseline_revision BIGINT NOT NULL,
  facts_digest TEXT NOT NULL,
  installed_at BYTES NOT NULL,
  command_id TEXT NOT NULL,
  status TEXT NOT NULL,
  overall_severity TEXT NOT NULL,
  ended_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (node_id),
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE,
  FOREIGN KEY(facts_digest) REFERENCES facts (digest)
);
CREATE INDEX patch_state_by_group ON patch_state (patch_group, node_id);
CREATE TABLE task_execution (
  task_execution_id TEXT NOT NULL,
  window_execution_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  start_at_ms BIGINT,
  end_at_ms BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (task_execution_id),
  FOREIGN KEY(window_execution_id) REFERENCES window_execution (window_execution_id) ON DELETE CASCADE
);
CREATE INDEX task_execution_by_execution ON task_execution (window_execution_id, ordinal);
CREATE TABLE window_target (
  window_target_id TEXT NOT NULL,
  window_id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (window_target_id),
  FOREIGN KEY(window_id) REFERENCES maintenance_window (window_id) ON DELETE CASCADE
);
CREATE INDEX window_target_by_window ON window_target (window_id, window_target_id);
CREATE TABLE window_task (
  window_task_id TEXT NOT NULL,
  window_id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (window_task_id),
  FOREIGN KEY(window_id) REFERENCES maintenance_window (window_id) ON DELETE CASCADE
);
CREATE INDEX window_task_by_window ON window_task (window_id, window_task_id);
CREATE TABLE invocation_step (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  name TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (command_id, node_id, name),
  FOREIGN KEY(command_id, node_id) REFERENCES invocation (command_id, node_id) ON DELETE CASCADE
);
CREATE TABLE task_invocation (
  invocation_id TEXT NOT NULL,
  task_execution_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  window_target_id TEXT,
  owner_information TEXT NOT NULL,
  targets TEXT NOT NULL,
  command_id TEXT,
  parameters TEXT NOT NULL,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  start_at_ms BIGINT,
  end_at_ms BIGINT,
  PRIMARY KEY (invocation_id),
  FOREIGN KEY(task_execution_id) REFERENCES task_execution (task_execution_id) ON DELETE CASCADE
);
CREATE INDEX task_invocation_by_command ON task_invocation (command_id);
CREATE INDEX task_invocation_by_task ON task_invocation (task_execution_id, ordinal);
