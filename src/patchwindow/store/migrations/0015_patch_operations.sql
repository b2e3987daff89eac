-- How far patch operations are, by what their orders were made, and the install override lists of commands.
CREATE TABLE patch_progress (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  phase TEXT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  what TEXT NOT NULL,
  told_at_ms BIGINT NOT NULL,
  PRIMARY KEY (command_id, node_id),
  FOREIGN KEY (command_id, node_id) REFERENCES invocation (command_id, node_id) ON DELETE CASCADE
);
CREATE TABLE patch_order (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  baseline_id TEXT NOT NULL,
  baseline_revision BIGINT,
  made_at_ms BIGINT NOT NULL,
  PRIMARY KEY (command_id, node_id),
  FOREIGN KEY (command_id, node_id) REFERENCES invocation (command_id, node_id) ON DELETE CASCADE
);
CREATE TABLE install_list (
  command_id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (command_id),
  FOREIGN KEY (command_id) REFERENCES command (command_id) ON DELETE CASCADE
);
