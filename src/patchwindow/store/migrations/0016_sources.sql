-- Debian's feeds go by source packages: patches are looked for by these too. What nodes report from now on tells them.
ALTER TABLE known_patch ADD COLUMN source TEXT NOT NULL DEFAULT '';
CREATE INDEX known_patch_by_source ON known_patch (operating_system, source);
