-- What nodes and programs tell of nodes, besides patches; and the settings of the service.
CREATE TABLE inventory (
  node_id TEXT NOT NULL,
  type_name TEXT NOT NULL,
  schema_version TEXT NOT NULL,
  captured_at TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (node_id, type_name),
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE
);
CREATE INDEX inventory_by_type ON inventory (type_name, schema_version);
CREATE TABLE inventory_schema (
  type_name TEXT NOT NULL,
  version TEXT NOT NULL,
  attributes TEXT NOT NULL,
  disabled_version TEXT NOT NULL,
  PRIMARY KEY (type_name)
);
CREATE TABLE inventory_deletion (
  deletion_id TEXT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (deletion_id)
);
CREATE INDEX inventory_deletion_by_time ON inventory_deletion (started_at_ms, deletion_id);
CREATE TABLE compliance_set (
  node_id TEXT NOT NULL,
  compliance_type TEXT NOT NULL,
  status TEXT NOT NULL,
  overall_severity TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  execution_type TEXT NOT NULL,
  executed_at_ms BIGINT NOT NULL,
  content_hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  items BYTES NOT NULL,
  PRIMARY KEY (node_id, compliance_type),
  FOREIGN KEY(node_id) REFERENCES node (node_id) ON DELETE CASCADE
);
CREATE INDEX compliance_set_by_type ON compliance_set (compliance_type, status, overall_severity);
CREATE TABLE service_setting (
  setting_id TEXT NOT NULL,
  value TEXT NOT NULL,
  modified_at_ms BIGINT NOT NULL,
  modified_by TEXT NOT NULL,
  PRIMARY KEY (setting_id)
);
