-- What an evaluation makes of each patch, kept with it. Of those from before, all that nodes have are made anew, at once.
CREATE TABLE listing (
  digest TEXT NOT NULL,
  body BYTES NOT NULL,
  PRIMARY KEY (digest)
);
ALTER TABLE evaluation ADD COLUMN tally TEXT;
ALTER TABLE evaluation ADD COLUMN listing_digest TEXT REFERENCES listing (digest);
ALTER TABLE evaluation ADD COLUMN places BYTES;
CREATE INDEX evaluation_by_listing ON evaluation (listing_digest);
UPDATE cohort SET due_at_ms = 0;
