-- Documents of one's own, and the texts of their versions by digest.
CREATE TABLE document (
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE document_text (
  digest TEXT NOT NULL,
  format TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (digest)
);
