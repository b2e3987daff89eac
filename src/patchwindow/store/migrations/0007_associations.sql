-- Associations, each in all its versions, with their runs and how the latest run stands on each node.
CREATE TABLE association (
  association_id TEXT NOT NULL,
  name TEXT,
  instance_id TEXT,
  is_wanted BIGINT NOT NULL,
  next_run_at_ms BIGINT,
  wake_at_ms BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (association_id)
);
CREATE INDEX association_by_wake ON association (wake_at_ms);
CREATE INDEX association_by_node ON association (instance_id, name);
CREATE TABLE association_version (
  association_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (association_id, version),
  FOREIGN KEY(association_id) REFERENCES association (association_id) ON DELETE CASCADE
);
CREATE TABLE association_run (
  execution_id TEXT NOT NULL,
  association_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  scheduled_at_ms BIGINT,
  is_whole BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT,
  status TEXT NOT NULL,
  details TEXT NOT NULL,
  command_id TEXT,
  wake_at_ms BIGINT,
  PRIMARY KEY (execution_id),
  CONSTRAINT association_run_once UNIQUE (association_id, scheduled_at_ms),
  FOREIGN KEY(association_id) REFERENCES association (association_id) ON DELETE CASCADE
);
CREATE INDEX association_run_by_wake ON association_run (wake_at_ms);
CREATE INDEX association_run_by_time ON association_run (association_id, created_at_ms, execution_id);
CREATE INDEX association_run_by_command ON association_run (command_id);
CREATE TABLE association_node (
  association_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  status TEXT NOT NULL,
  details TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (association_id, node_id),
  FOREIGN KEY(association_id) REFERENCES association (association_id) ON DELETE CASCADE,
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE
);
CREATE INDEX association_node_by_node ON association_node (node_id, association_id);
CREATE INDEX association_node_by_run ON association_node (execution_id, status);
