-- The list of evaluated patches of a snapshot for Windows. None was laid into those that there are; who asks for one
-- of them again has it made.
ALTER TABLE snapshot ADD COLUMN patches BYTES;
