// A server that is told to end: what it took is acknowledged, who is connected goes elsewhere, and comes back to its successor.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, suite, test } from 'node:test';
import { connect, formats, listen, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const ways = [...formats, { name: 'comet', transports: ['comet'] }];
const persisted = '[[namespaces]]\nid = "log"\npersisted = true\n';
const postgres = await makePostgres({ after });
await postgres.start();

const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));
const data = (items) => items.map((item) => item.data);
const state = (client, name) => within(new Promise((resolve) => client.connection.once(name, resolve)), `the client to be ${name}`, 60_000);

/** A server whose channels log:… are in Postgres. */
const startPersisted = (t, settings = '') =>
  startPalimpsest(t, { command: 'serve', settings: settings + persisted, databaseUrl: postgres.url });

/** Everything that is kept of a channel, oldest first. */
async function kept(server, name) {
  const items = [];
  for (let page = await rest(server).channels.get(name).history({ direction: 'forwards' }); page; page = await page.next()) items.push(...page.items);
  return data(items);
}

/** A connection that stays: GETs one after the other, {status}. */
function keptAlive(t, server) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (path) => new Promise((resolve, reject) => {
    http.get(server.origin + path, { agent }, (response) => response.resume().once('end', () => resolve(response.statusCode))).once('error', reject);
  });
}

for (const { name: way, ...more } of ways) {
  suite(way, () => {
    test('a client is disconnected, and resumes with the server that comes on the same port', async (t) => {
      const server = await startPalimpsest(t, { command: 'serve' });
      const client = await connect(t, server, { ...more, clientId: 'ada' });
      const channel = client.channels.get('room');
      const heard = await listen(channel);
      await channel.presence.enter('here');
      const { id } = client.connection;
      const disconnected = state(client, 'disconnected');
      const how = await within(server.stop('SIGTERM'), 'the end');
      assert.deepEqual(how, { code: 0, signal: null });
      assert.equal((await disconnected).reason.code, 80003);
      await server.start();
      await within(client.connection.whenState('connected'), 'to be connected again');
      assert.equal(client.connection.id, id);
      await channel.publish('n', 'after');
      await until(() => heard.length, 'the message');
      assert.deepEqual(data(heard), ['after']);
      await until(async () => (await channel.presence.get()).length === 1, 'the member to be there again');
    });

    test('of what is published meanwhile everything is acknowledged and nothing doubled', async (t) => {
      const server = await startPersisted(t);
      const channel = `log:${way}`;
      const client = await connect(t, server, more);
      let acknowledged = 0, sent = 0, stopping = null;
      const publishing = [];
      while (publishing.length < 300) {
        publishing.push(client.channels.get(channel).publish('n', String(sent++)).then(() => acknowledged++));
        if (sent === 150) stopping = server.stop('SIGTERM');
        if (sent % 10 === 0) await new Promise(setImmediate);
      }
      await within(stopping, 'the end');
      await server.start();
      await within(Promise.all(publishing), 'every ACK', 60_000);
      assert.equal(acknowledged, 300);
      assert.deepEqual(await kept(server, channel), numbers(0, 300));
    });
  });
}

for (const { name: way, ...more } of ways) {
  test(`${way}: what was taken is acknowledged by the server that took it, and then the client is told to go`, async (t) => {
    const server = await startPersisted(t, 'drain_seconds = 120\n');
    const channel = `log:slow-${way}`;
    const [publisher, subscriber] = [await connect(t, server, more), await connect(t, server)];
    const heard = await listen(subscriber.channels.get(channel));
    const get = keptAlive(t, server);
    assert.equal(await get('/readyz'), 200);
    await postgres.crash();
    const published = publisher.channels.get(channel).publish('n', 'last words');
    let gone = false;
    const disconnected = state(publisher, 'disconnected').then(() => (gone = true));
    await until(() => heard.length, 'the message');
    const ended = server.stop('SIGTERM');
    await until(async () => (await get('/readyz')) === 503, 'it to be ready no longer');
    assert.equal(await get('/healthz'), 200);
    assert.equal(await get('/time'), 503);
    await assert.rejects(connectRaw(t, server), /ECONNREFUSED/);
    assert.equal(gone, false);
    await postgres.start();
    await within(published, 'the ACK', 60_000);
    await within(ended, 'the end');
    await disconnected;
    await server.start();
    assert.deepEqual(await kept(server, channel), ['last words']);
    assert.deepEqual(data(heard), ['last words']);
  });
}

test('what cannot be acknowledged in time is sent again to the successor, and is there once', async (t) => {
  const server = await startPersisted(t, 'drain_seconds = 1\n');
  const client = await connect(t, server);
  const channel = client.channels.get('log:late');
  const heard = await listen(channel);
  await channel.publish('n', '0');
  await postgres.crash();
  const published = channel.publish('n', '1');
  await until(() => heard.length === 2, 'the server to have it');
  const before = Date.now();
  const disconnected = state(client, 'disconnected');
  await within(server.stop('SIGTERM'), 'the end');
  await disconnected;
  assert.ok(Date.now() - before < 10_000, 'it waits for its drain deadline, and not for the database');
  await postgres.start();
  await server.start();
  await within(published, 'the ACK', 30_000);
  assert.deepEqual(await kept(server, 'log:late'), ['0', '1']);
});

test('a second signal ends it at once', async (t) => {
  const server = await startPersisted(t, 'drain_seconds = 600\n');
  const client = await connect(t, server);
  const heard = await listen(client.channels.get('log:twice'));
  const get = keptAlive(t, server);
  await get('/readyz');
  await postgres.crash();
  const published = client.channels.get('log:twice').publish('n', 'x').catch(({ code }) => code);
  await until(() => heard.length, 'the server to have it');
  const ended = server.stop('SIGTERM');
  await until(async () => (await get('/readyz')) === 503, 'it to wind down');
  void server.stop('SIGTERM');
  assert.deepEqual(await within(ended, 'the end', 10_000), { code: 0, signal: null });
  await postgres.start();
  client.close();
  assert.equal(typeof (await within(published, 'the publish to be given up')), 'number');
});

test('an event stream ends, with all that was said before', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve' });
  const response = await fetch(`${server.origin}/sse?channels=news&v=3&enveloped=false`, { headers: { authorization: `Basic ${btoa(server.key)}` } });
  const text = response.text();
  const watched = rest(server).channels.get('news');
  await until(async () => (await watched.status()).status.occupancy.metrics.subscribers === 1, 'the stream to listen');
  await watched.publish('n', 'extra! extra!');
  await within(server.stop('SIGTERM'), 'the end');
  assert.match(await within(text, 'the end of the stream'), /extra! extra!/);
});

test('who neither reads nor goes is not waited for longer than the drain deadline', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', settings: 'drain_seconds = 1\n' });
  const stuck = await connectRaw(t, server);
  stuck.socket.pause();
  assert.deepEqual(await within(server.stop('SIGTERM'), 'the end', 10_000), { code: 0, signal: null });
});
