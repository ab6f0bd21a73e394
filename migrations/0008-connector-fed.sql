-- Which relation each fed table was, and by which membership it was in the publication, when all of its changes before had been sent:
-- {"schema.table": "relation's oid/membership's oid"}; an empty text where changes may be missing since. Another one than that was fed in
-- between by nobody: its channels are told of the gap.
ALTER TABLE palimpsest.connector ADD fed json;
