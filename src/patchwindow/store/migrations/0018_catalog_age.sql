-- When nodes last had a patch, and when an import last named an advisory: what is neither for long is forgotten.
ALTER TABLE known_patch ADD COLUMN seen_at_ms BIGINT;
UPDATE known_patch SET seen_at_ms = (SELECT max(first_seen_at_ms) FROM facts) WHERE first_seen_at_ms IS NOT NULL;
CREATE INDEX known_patch_by_sight ON known_patch (seen_at_ms);
ALTER TABLE facts_read ADD COLUMN marked_at_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX facts_read_by_mark ON facts_read (marked_at_ms);
ALTER TABLE advisory ADD COLUMN named_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE advisory SET named_at_ms = (SELECT feed.imported_at_ms FROM feed WHERE feed.source = advisory.source) WHERE EXISTS (SELECT feed.source FROM feed WHERE feed.source = advisory.source);
CREATE INDEX advisory_by_naming ON advisory (named_at_ms);
INSERT INTO chore (name, due_at_ms) SELECT 'catalog', 0 WHERE EXISTS (SELECT title FROM known_patch);
