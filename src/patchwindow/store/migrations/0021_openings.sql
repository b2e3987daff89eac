-- The openings of all windows by time, as a calendar shows them.
CREATE INDEX window_execution_by_opening ON window_execution (opens_at_ms, window_id);
