-- Secret URLs by which calendar programs read when windows open. Tokens are kept as digests.
CREATE TABLE calendar_feed (
  token_digest TEXT NOT NULL,
  feed_id TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (token_digest)
);
