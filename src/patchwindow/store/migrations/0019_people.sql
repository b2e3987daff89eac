-- Who signs in to the console: people, their sessions, and links that sign in once. Tokens are kept as digests.
CREATE TABLE person (
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  is_enabled BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE console_session (
  token_digest TEXT NOT NULL,
  person TEXT NOT NULL,
  opened_at_ms BIGINT NOT NULL,
  seen_at_ms BIGINT NOT NULL,
  PRIMARY KEY (token_digest),
  FOREIGN KEY(person) REFERENCES person (name) ON DELETE CASCADE
);
CREATE INDEX console_session_by_person ON console_session (person);
CREATE TABLE sign_in_link (
  secret_digest TEXT NOT NULL,
  person TEXT NOT NULL,
  ends_at_ms BIGINT NOT NULL,
  PRIMARY KEY (secret_digest),
  FOREIGN KEY(person) REFERENCES person (name) ON DELETE CASCADE
);
