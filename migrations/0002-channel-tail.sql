-- How far each channel had come when the connector last confirmed its slot: the place of the last change it published there. A slot
-- that is confirmed no longer says, and a client that has seen that change and comes back after a restart has missed nothing.
CREATE TABLE palimpsest.channel_tail (
    slot         text NOT NULL,
    channel      text NOT NULL,
    commit_lsn   pg_lsn NOT NULL,   -- of the change's transaction, and
    change_index bigint NOT NULL,   -- the change within it, from 1; 0 is before the first
    PRIMARY KEY (slot, channel)
);
