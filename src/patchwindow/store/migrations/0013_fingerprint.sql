-- The fingerprint beside the node, to find what else a machine was registered as. Of nodes that are there it is noted
-- with their next ping: one that is gone for good before is not found by it.
ALTER TABLE node ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX node_by_fingerprint ON node (fingerprint, node_id);
