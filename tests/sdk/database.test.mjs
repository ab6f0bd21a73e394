// A Postgres of the user's own: not there yet, gone for a while, or not set up for it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { changes, connect, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { until, within } from '../support/until.mjs';

const ready = (server) => until(async () => (await server.status('/readyz')) === 200, 'readiness', 30_000);
const notReady = (server) => until(async () => (await server.status('/readyz')) === 503, 'unreadiness', 30_000);

async function ada(t, server) {
  const client = await connect(t, server, { clientId: 'ada' });
  const heard = await listen(client.channels.get('incoming-chat'));
  const say = (content, id = randomUUID()) => client.channels.get('outgoing-chat').publish({ id, name: 'chatMsg', data: { username: 'ada', content } });
  return { client, heard, say, texts: () => changes(heard).map(({ row }) => row.msg_data) };
}

/** A server in front of a Postgres of the test's own, and ada, who has said 'before'. */
async function begun(t) {
  const postgres = await makePostgres(t);
  await postgres.start();
  const server = await startPalimpsest(t, { databaseUrl: postgres.url });
  const client = await ada(t, server);
  await client.say('before');
  await until(() => client.texts().length === 1, 'the first change');
  return { server, ...client };
}

test('a Postgres that is not there at the start is waited for', async (t) => {
  const postgres = await makePostgres(t);
  const server = await startPalimpsest(t, { databaseUrl: postgres.url, awaitReady: false });
  assert.equal(await server.status('/readyz'), 503);
  assert.equal(await server.status('/healthz'), 200);
  assert.equal(await server.status('/api/messages'), 503);
  await postgres.start();
  await ready(server);
  const { say, texts } = await ada(t, server);
  await within(say('hello'), 'the ACK');
  await until(() => texts().length, 'the change');
  assert.deepEqual(texts(), ['hello']);
});

test('a Postgres that is lost while running is missed, and nothing of what was said meanwhile', async (t) => {
  const postgres = await makePostgres(t);
  await postgres.start();
  const server = await startPalimpsest(t, { databaseUrl: postgres.url });
  const { client, heard, say, texts } = await ada(t, server);
  const gaps = [];
  client.channels.get('incoming-chat').on(['attached', 'update'], ({ resumed }) => resumed || gaps.push('gap'));
  await say('before');
  await until(() => texts().length === 1, 'the first change');

  await postgres.crash();
  await notReady(server);
  const meanwhile = Promise.all([say('meanwhile 1'), say('meanwhile 2')]);  // held and tried again: neither lost nor refused
  await postgres.start();
  await ready(server);
  await within(meanwhile, 'both ACKs', 30_000);
  await say('after');
  await until(() => texts().length === 4, `four changes, after ${texts()}`);
  assert.deepEqual(texts(), ['before', 'meanwhile 1', 'meanwhile 2', 'after']);
  assert.deepEqual((await server.rows()).map(({ msg_data }) => msg_data), texts());
  assert.deepEqual(gaps, []);
  assert.equal(heard.length, 4);
});

test('what happens in Postgres while palimpsest is stopped is told when it is back', async (t) => {
  const { server, say, texts } = await begun(t);
  await server.stop();
  await server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) SELECT 'psql', 'away-' || n, 'away ' || n FROM generate_series(1, 50) n`);
  await server.psql(`DELETE FROM chat_data WHERE msg_id = 'away-7'`);
  await server.start();
  await until(() => texts().length === 52, `52 changes, after ${texts().length}`);
  assert.deepEqual(texts(), ['before', ...Array.from({ length: 50 }, (_, i) => `away ${i + 1}`), 'away 7']);
});

test('a Postgres without logical decoding is said to be so, with what to set', async (t) => {
  const postgres = await makePostgres(t, ['wal_level=replica']);
  await postgres.start();
  const server = await startPalimpsest(t, { databaseUrl: postgres.url, awaitReady: false });
  await until(() => /wal_level/.test(server.log()), 'a word about wal_level');
  assert.equal(await server.status('/readyz'), 503);
});

test('tables that were dropped are missed, what is published is refused at once, and the next start makes them anew', async (t) => {
  const { server, say, texts } = await begun(t);
  await server.psql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  await notReady(server);
  await until(() => /at=connector_down .*there is no table/.test(server.log()), 'the reason');
  await assert.rejects(within(say('in vain'), 'the NACK', 10_000), /lacks a table/);
  await server.stop();
  await server.start();
  assert.match(server.log(), /at=chat_tables_missing/);
  await within(say('after'), 'the ACK', 30_000);
  await until(() => texts().includes('after'), `the change after ${texts()}`);
});
