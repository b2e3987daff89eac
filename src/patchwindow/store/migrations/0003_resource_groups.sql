-- Resource groups: named sets of nodes, by a query over tags.
CREATE TABLE resource_group (
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (name)
);
