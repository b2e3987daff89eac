-- What steps wrote, in pieces packed by zlib, and which streams are delivered to an object store.
CREATE TABLE output_stream (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  step_name TEXT NOT NULL,
  stream TEXT NOT NULL,
  length BIGINT NOT NULL,
  is_cut BIGINT NOT NULL,
  is_ended BIGINT NOT NULL,
  changed_at_ms BIGINT NOT NULL,
  PRIMARY KEY (command_id, node_id, step_name, stream)
);
CREATE INDEX output_stream_by_time ON output_stream (changed_at_ms);
CREATE TABLE output_piece (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  step_name TEXT NOT NULL,
  stream TEXT NOT NULL,
  begins_at BIGINT NOT NULL,
  length BIGINT NOT NULL,
  content BYTES NOT NULL,
  PRIMARY KEY (command_id, node_id, step_name, stream, begins_at)
);
CREATE TABLE output_delivery (
  command_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  step_name TEXT NOT NULL,
  stream TEXT NOT NULL,
  bucket TEXT NOT NULL,
  object_key TEXT NOT NULL,
  ended_at_ms BIGINT NOT NULL,
  due_at_ms BIGINT,
  url TEXT NOT NULL,
  lease TEXT NOT NULL,
  failures BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (command_id, node_id, step_name, stream)
);
CREATE INDEX output_delivery_by_due ON output_delivery (due_at_ms);
