-- What a client published and heard nothing of, it publishes again under the same id to the server that comes next: so that this finds it.
CREATE INDEX message_id ON palimpsest.message (address, (body->>'id')) WHERE kind = 15;
CREATE INDEX message_event_id ON palimpsest.message_event (address, (body->>'id'));
