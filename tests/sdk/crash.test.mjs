// kill -9 of everything, Postgres included, amid a thousand writes. A replication slot of the test's own, which nobody but Postgres
// feeds, says what was committed, in which order.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { changes, connect, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const WRITERS = 20, MESSAGES = 40, EDITS = 8, DELETES = 2;
const WRITES = WRITERS * (MESSAGES + EDITS + DELETES);
const ONE_MINUTE = 60_000;

/** Everything committed to chat_data since the witness began, in commit order: ["INSERT msg_id text", …]. */
async function committed(server) {
  const lines = await server.psql("SELECT data FROM pg_logical_slot_peek_changes('witness', NULL, NULL)");
  return lines.filter((line) => line.startsWith('table public.chat_data: ')).map((line) => {
    const [, type] = /: (INSERT|UPDATE|DELETE): /.exec(line);
    return [type, last(line, /msg_id\[text\]:'([^']*)'/g), last(line, /msg_data\[text\]:'([^']*)'/g)].join(' ');
  });
}
const last = (line, pattern) => [...line.matchAll(pattern)].at(-1)[1];
const told = (messages) => changes(messages).map(({ type, row }) => `${type} ${row.msg_id} ${row.msg_data}`);

/** One client that sends, edits and deletes, each after the one before was acknowledged. */
async function write(outgoing, username, done) {
  const publish = async (name, data, id = randomUUID()) => {
    await outgoing.publish({ id, name, data });
    done();
    return id;
  };
  const ids = [];
  for (let i = 0; i < MESSAGES; i++) ids.push(await publish('chatMsg', { username, content: `${username} ${i}` }));
  for (const id of ids.slice(0, EDITS)) await publish('editedMsg', { msgIdToEdit: id, content: 'edited' });
  for (const id of ids.slice(-DELETES)) await publish('deletedMsg', { msgIdToDelete: id });
  return ids;
}

test('after kill -9 amid a thousand writes, a subscriber holds every committed change once, in commit order', async (t) => {
  const server = await startPalimpsest(t);
  await server.psql("SELECT pg_create_logical_replication_slot('witness', 'test_decoding')");

  const subscribers = await Promise.all(formats.map(async (format) => {
    const channel = (await connect(t, server, format)).channels.get('incoming-chat');
    const heard = await listen(channel);
    const gaps = [];
    channel.on(['attached', 'update'], ({ resumed, reason }) => resumed || gaps.push(reason));
    return { heard, gaps };
  }));
  const firstSerial = await attachByHand(t, server);

  let written = 0;
  const writers = await Promise.all(Array.from({ length: WRITERS }, (_, i) => connect(t, server, { clientId: `writer-${i}` })));
  const writing = writers.map((client, i) => write(client.channels.get('outgoing-chat'), `writer-${i}`, () => written++));
  const inPsql = server.psql(Array.from({ length: 300 }, (_, i) =>
    `INSERT INTO chat_data(username, msg_id, msg_data) VALUES('psql', 'psql-${i}', 'x');`).join('\n')).catch(() => 'cut off');

  for (const share of [0.25, 0.6]) {
    await until(() => written >= share * WRITES, `${share} of the writes`, ONE_MINUTE);
    await server.kill9();
    await server.start();
  }
  const ids = (await within(Promise.all(writing), 'every write to be acknowledged', 2 * ONE_MINUTE)).flat();
  await inPsql;

  const truth = await committed(server);
  for (const { heard, gaps } of subscribers) {
    await until(() => heard.length >= truth.length, `${truth.length} changes, after ${heard.length}`);
    assert.deepEqual(told(heard), truth);
    assert.deepEqual(gaps, []);
  }

  // Nothing acknowledged is missing, nothing is doubled.
  const rows = (await server.rows()).filter(({ username }) => username !== 'psql');
  assert.equal(rows.length, WRITERS * (MESSAGES - DELETES));
  assert.deepEqual(new Set(rows.map(({ msg_id }) => msg_id)).difference?.(new Set(ids)).size ?? 0, 0);
  assert.equal(rows.filter(({ is_edited: edited }) => edited).length, WRITERS * EDITS);
  assert.equal(truth.filter((line) => line.startsWith('INSERT') && !line.includes('psql')).length, WRITERS * MESSAGES);

  // The same again for a client that knew the channel before the first kill, and nothing since.
  const client = await connectRaw(t, server);
  client.send({ action: ACTION.attach, channel: 'incoming-chat', channelSerial: firstSerial });
  const { flags } = await client.next(ACTION.attached);
  const messages = () => client.frames.filter(({ action }) => action === ACTION.message).flatMap((frame) => frame.messages);
  await until(() => messages().length >= truth.length, 'the replay');
  assert.equal(flags & 4, 4);
  assert.deepEqual(told(messages()), truth);
});

/** The channelSerial a client is given when it attaches now. */
async function attachByHand(t, server) {
  const client = await connectRaw(t, server);
  client.send({ action: ACTION.attach, channel: 'incoming-chat' });
  const { channelSerial } = await client.next(ACTION.attached);
  client.vanish();
  return channelSerial;
}

test('what was committed while the server was away is told when it is back', async (t) => {
  const server = await startPalimpsest(t);
  const subscriber = await connect(t, server);
  const heard = await listen(subscriber.channels.get('incoming-chat'));
  const insert = (msgId) => server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) VALUES('psql', '${msgId}', 'x')`);
  await insert('before');
  await until(() => heard.length === 1, 'the first change');
  await server.kill9();
  await server.start();
  await insert('after');
  await until(() => heard.length === 2, 'the change after the crash');
  await server.restart();
  await insert('after the restart');
  await until(() => heard.length === 3, 'the change after the restart');
  assert.deepEqual(changes(heard).map(({ row }) => row.msg_id), ['before', 'after', 'after the restart']);
});

test('Ctrl-C ends it within seconds, with status 0, and Postgres with it', async (t) => {
  const server = await startPalimpsest(t);
  const client = await connect(t, server);
  await listen(client.channels.get('incoming-chat'));
  assert.deepEqual(await within(server.stop(), 'the end', 20_000), { code: 0, signal: null });
  await assert.rejects(server.psql('SELECT 1'));
});
