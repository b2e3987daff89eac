-- The catalogue: what nodes have reported and what feeds name, joined. first_seen_at_ms is the ledger of first sights.
CREATE TABLE known_patch (
  operating_system TEXT NOT NULL,
  title TEXT NOT NULL,
  product TEXT NOT NULL,
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  first_seen_at_ms BIGINT,
  first_seen_in TEXT NOT NULL,
  update_id TEXT NOT NULL,
  readings TEXT NOT NULL,
  added TEXT NOT NULL,
  PRIMARY KEY (operating_system, title, product, repository)
) CLUSTERED;
CREATE INDEX known_patch_by_name ON known_patch (operating_system, name);
CREATE TABLE patch_reference (
  operating_system TEXT NOT NULL,
  reference TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (reference, operating_system, name)
) CLUSTERED;
CREATE TABLE known_product (
  operating_system TEXT NOT NULL,
  patch_set TEXT NOT NULL,
  product TEXT NOT NULL,
  product_family TEXT NOT NULL,
  PRIMARY KEY (operating_system, patch_set, product, product_family)
);
CREATE TABLE facts_read (
  facts_digest TEXT NOT NULL,
  PRIMARY KEY (facts_digest),
  FOREIGN KEY(facts_digest) REFERENCES facts (digest) ON DELETE CASCADE
);
CREATE TABLE feed (
  source TEXT NOT NULL,
  imported_at_ms BIGINT NOT NULL,
  PRIMARY KEY (source)
);
CREATE TABLE advisory (
  source TEXT NOT NULL,
  advisory_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (source, advisory_id)
);
CREATE TABLE advisory_fix (
  source TEXT NOT NULL,
  advisory_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  operating_system TEXT NOT NULL,
  product TEXT NOT NULL,
  name TEXT NOT NULL,
  arch TEXT NOT NULL,
  version TEXT NOT NULL,
  extent TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (source, advisory_id, ordinal),
  FOREIGN KEY(source, advisory_id) REFERENCES advisory (source, advisory_id) ON DELETE CASCADE
) CLUSTERED;
CREATE INDEX advisory_fix_by_subject ON advisory_fix (operating_system, subject);
CREATE TABLE cve (
  cve_id TEXT NOT NULL,
  severity TEXT,
  is_known_exploited BIGINT,
  exploited_since TEXT,
  due_on TEXT,
  epss_score_billionths BIGINT,
  epss_percentile_billionths BIGINT,
  PRIMARY KEY (cve_id)
) CLUSTERED;
