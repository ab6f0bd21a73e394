-- The messages that are being published now: written down before anybody is told of them, so that after a crash they are the same.
ALTER TABLE palimpsest.snapshot
    ADD chunk       json,   -- [{"index":n,"rows":boolean,"frame":{}}]: place, broker::Draft::rows, and the MESSAGE; places up to `rows` are used
    ADD chunk_table text,   -- where at_table and at_key will be once they are published
    ADD chunk_key   json;
