-- What a connector keeps of its slot, and what lets SQL publish.

-- One row a slot. `position` is at or behind everything that was ever confirmed: a slot that is further was made anew, or moved, by
-- somebody else.
CREATE TABLE palimpsest.connector (
    slot        text PRIMARY KEY,
    position    pg_lsn NOT NULL,
    publication text NOT NULL DEFAULT ''   -- the tables, columns and filters that we gave the publication
);

-- The rows that were there before the slot, as far as they are published.
CREATE TABLE palimpsest.snapshot (
    slot     text PRIMARY KEY,
    start    pg_lsn NOT NULL,             -- the rows' places in the WAL are this, just before the slot's beginning,
    rows     bigint NOT NULL DEFAULT 0,   -- with an index; those up to here are used
    at_table text,                        -- published up to here: the table, as schema.table, and the key of its last row,
    at_key   json,                        -- as an array of texts; tables go by name, the rows of a table by their keys
    done     boolean NOT NULL DEFAULT false
);
-- What was read in one snapshot: the rows behind a table's key. Which changes in the log are in those rows already follows from that.
CREATE TABLE palimpsest.snapshot_part (
    slot       text NOT NULL,
    consistent pg_lsn NOT NULL,           -- it has what was committed before this
    from_table text,                      -- NULL: it begins with the first
    from_key   json,
    PRIMARY KEY (slot, consistent)
);

-- palimpsest.publish() signs with it. Whoever may not run that function cannot read it.
CREATE TABLE palimpsest.publish_token (token text NOT NULL);
INSERT INTO palimpsest.publish_token SELECT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
REVOKE ALL ON palimpsest.publish_token FROM PUBLIC;

-- Publishes a message when the transaction commits, among its changes in their order. Gives the place in the WAL where it was written.
CREATE FUNCTION palimpsest.publish(channel text, name text, data jsonb, extras jsonb DEFAULT NULL) RETURNS pg_lsn
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(channel, '') = '' OR octet_length(channel) > 2048 OR left(channel, 1) IN ('[', ':')
        OR channel ~ '[\x01-\x1f\x7f]' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'palimpsest.publish: not a channel name: ' || coalesce(quote_literal(channel), 'NULL'),
            HINT = 'At most 2048 bytes without control characters, not starting with [ or :.';
    END IF;
    IF extras IS NOT NULL AND jsonb_typeof(extras) NOT IN ('object', 'null') THEN
        RAISE invalid_parameter_value USING MESSAGE = 'palimpsest.publish: extras are a JSON object';
    END IF;
    RETURN pg_logical_emit_message(true, 'palimpsest', (SELECT token FROM palimpsest.publish_token) || ' ' ||
        json_build_object('channel', channel, 'name', name, 'data', data, 'extras', extras)::text);
END $$;
REVOKE ALL ON FUNCTION palimpsest.publish(text, text, jsonb, jsonb) FROM PUBLIC;
