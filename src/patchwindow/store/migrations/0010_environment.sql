-- The environment of each scanned node beside its cohort: a fleet is counted by both in one pass over one index.
ALTER TABLE standing ADD COLUMN environment TEXT NOT NULL DEFAULT '';
UPDATE standing SET environment = coalesce((SELECT tag.value FROM tag WHERE tag.resource_type = 'ManagedInstance' AND tag.resource_id = standing.node_id AND tag.key = 'Environment'), '');
DROP INDEX standing_by_cohort;
CREATE INDEX standing_by_cohort ON standing (cohort_id, environment, scanned_at_ms);
