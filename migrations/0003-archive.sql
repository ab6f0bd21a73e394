-- Messages and presence of persisted channels (namespaces with persisted = true), as they are by now: `body` is the message as
-- clients get it. Serials of one channel sort as what they name was ordered.
CREATE TABLE palimpsest.message (
    address text COLLATE "C" NOT NULL,   -- appId/channel
    kind    smallint NOT NULL,           -- 15 a message, 14 presence: the protocol's actions
    serial  text COLLATE "C" NOT NULL,   -- of the message; of presence, its place
    sent_at bigint NOT NULL,             -- ms since 1970
    body    json NOT NULL,
    PRIMARY KEY (address, kind, serial)
);

-- What was said of a message later: its versions, the first one too once there is a second, and its annotations.
CREATE TABLE palimpsest.message_event (
    address text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,   -- its serial
    kind    smallint NOT NULL,           -- 15 a version, 21 an annotation
    serial  text COLLATE "C" NOT NULL,   -- of the version or annotation
    body    json NOT NULL,
    PRIMARY KEY (address, message, kind, serial)
);
