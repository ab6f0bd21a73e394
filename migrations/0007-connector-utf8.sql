-- What palimpsest.publish() writes to the WAL is UTF-8, whatever the database's encoding: logical messages are not converted.
CREATE OR REPLACE FUNCTION palimpsest.publish(channel text, name text, data jsonb, extras jsonb DEFAULT NULL) RETURNS pg_lsn
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
    RETURN pg_logical_emit_message(true, 'palimpsest', convert_to((SELECT token FROM palimpsest.publish_token) || ' ' ||
        json_build_object('channel', channel, 'name', name, 'data', data, 'extras', extras)::text, 'UTF8'));
END $$;
