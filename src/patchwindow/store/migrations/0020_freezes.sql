-- When a freeze begins, and of which calendar, lets nothing more of an opening start.
ALTER TABLE window_execution ADD COLUMN frozen_at_ms BIGINT;
ALTER TABLE window_execution ADD COLUMN frozen_by TEXT NOT NULL DEFAULT '';
