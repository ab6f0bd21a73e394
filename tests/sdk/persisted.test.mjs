// Namespaces with persisted = true: what was published there outlives the retention window and a restart, in Postgres.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until } from '../support/until.mjs';

const folder = await mkdtemp(path.join(tmpdir(), 'palimpsest-persisted-'));
after(() => rm(folder, { recursive: true, force: true }));
const config = path.join(folder, 'palimpsest.toml');
await writeFile(config, 'retention_seconds = 1\n[[namespaces]]\nid = "log"\npersisted = true\nmutable_messages = true\n');

const postgres = await makePostgres({ after });
await postgres.start();
const server = await startPalimpsest({ after }, { command: 'serve', args: ['--config', config], databaseUrl: postgres.url });
const channelOf = (format, name) => rest(server, { ...format, clientId: 'ann' }).channels.get(name);

/** Everything, page by page. */
async function all(first) {
  const items = [];
  for (let page = await first; page; page = await page.next()) items.push(...page.items);
  return items;
}

for (const format of formats) {
  suite(format.name, () => {
    test('history, versions and annotations are there after the window and a restart, and go on', async (t) => {
      const name = `log:${format.name}`;
      const channel = channelOf(format, name);
      const { serials: [first] } = await channel.publish('text', 'one');
      await channel.publish([{ name: 'binary', data: Buffer.from([0, 255]) }, { name: 'object', data: { a: [1, null, '\u0000'] } }]);
      await channel.updateMessage({ serial: first, data: 'two' });
      await channel.annotations.publish(first, { type: 'tag:distinct.v1', name: 'x' });
      await server.restart();

      const expected = [['text', 'two', 'message.update'], ['binary', [0, 255], 'message.create'], ['object', { a: [1, null, '\u0000'] }, 'message.create']];
      const read = (items) => items.map(({ name: each, data, action }) => [each, Buffer.isBuffer(data) ? [...data] : data, action]);
      assert.deepEqual(read(await all(channel.history({ direction: 'forwards', limit: 2 }))), expected);
      assert.deepEqual(read(await all(channel.history({ limit: 1 }))), expected.toReversed());
      await channel.appendMessage({ serial: first, data: ' and more' });
      await channel.annotations.publish(first, { type: 'tag:distinct.v1', name: 'y' });
      const latest = await channel.getMessage(first);
      assert.equal(latest.data, 'two and more');
      assert.deepEqual(Object.keys(latest.annotations.summary['tag:distinct.v1']), ['x', 'y']);
      const versions = await all(channel.getMessageVersions(first, { direction: 'forwards' }));
      assert.deepEqual(versions.map(({ data }) => data), ['one', 'two', 'two and more']);
      assert.deepEqual((await all(channel.annotations.get(first))).map(({ name: each }) => each), ['x', 'y']);
      assert.equal(await codeOf(channel.updateMessage({ serial: 'none', data: 'x' })), 40400);

      const middle = (await all(channel.history()))[1];
      const since = await all(channel.history({ start: middle.timestamp, direction: 'forwards' }));
      assert.ok(since.length >= 2 && since.every(({ timestamp }) => timestamp >= middle.timestamp));
    });

    test('a page ends before it is too large, and the next one goes on', async (t) => {
      const channel = channelOf(format, `log:${format.name}:${t.name}`);
      await Promise.all(Array.from({ length: 80 }, () => channel.publish('n', 'x'.repeat(60_000))));
      for (const direction of ['forwards', 'backwards']) {
        const first = await channel.history({ direction, limit: 1_000 });
        assert.ok(first.items.length * 60_000 <= 4 << 20, String(first.items.length));
        const ids = (await all(first)).map(({ id }) => id);
        assert.equal(new Set(ids).size, 80);
        assert.equal(ids.length, 80);
      }
    });

    test('presence has its history too, and untilAttach ends where one attached', async (t) => {
      const name = `log:presence-${format.name}`;
      const client = await connect(t, server, { ...format, clientId: 'ann' });
      const channel = client.channels.get(name);
      await channel.publish('n', 'before');
      await channel.attach();
      await channel.publish('n', 'after');
      await channel.presence.enter('here');
      await channel.presence.leave('gone');
      await channel.detach();
      await channel.attach();
      assert.deepEqual((await all(channel.history({ untilAttach: true }))).map(({ data }) => data), ['after', 'before']);
      const said = await until(async () => {
        const items = await all(channel.presence.history({ direction: 'forwards' }));
        return items.length >= 2 && items;
      });
      assert.deepEqual(said.map(({ action, data }) => [action, data]), [['enter', 'here'], ['leave', 'gone']]);
    });
  });
}

test('what is acknowledged is in the database, and while that is away nothing is acknowledged or lost', async (t) => {
  const client = await connect(t, server, { clientId: 'ann' });
  const channel = client.channels.get('log:away');
  await channel.publish('n', '0');
  await postgres.crash();
  let acknowledged = 0;
  const publishes = Array.from({ length: 50 }, (_, i) => channel.publish('n', String(i + 1)).then(() => acknowledged++));
  await connect(t, server);  // a round trip and more
  assert.equal(acknowledged, 0);
  await postgres.start();
  await Promise.all(publishes);
  const kept = await until(() => server.psql("SELECT count(*) FROM palimpsest.message WHERE address LIKE '%/log:away'"));
  assert.deepEqual(kept, ['51']);
  assert.deepEqual((await all(channel.history({ direction: 'forwards' }))).map(({ data }) => Number(data)), Array.from({ length: 51 }, (_, i) => i));
});

test('other channels, and what is ephemeral, are not kept', async () => {
  const client = rest(server);
  await client.channels.get('other').publish('n', 'x');
  await client.channels.get('log:typing').publish({ name: 'n', data: 'x', extras: { ephemeral: true } });
  assert.deepEqual(await server.psql("SELECT 1 FROM palimpsest.message WHERE address LIKE '%/other' OR address LIKE '%/log:typing'"), []);
});

test('what was kept, and is said again to the server that comes after a crash, is kept once and gets its serials', async (t) => {
  const name = 'log:again', ACK = 1;
  const channel = rest(server).channels.get(name);
  const say = async (raw, msgSerial, messages) => {
    raw.send({ action: 15, channel: name, msgSerial, messages });
    const ack = await raw.next(ACK);
    raw.frames.length = 0;
    return ack.res;
  };
  const before = await connectRaw(t, server, { clientId: 'ann' });
  const { connectionDetails: { connectionKey } } = await before.next(ACTION.connected);
  const two = await say(before, 0, [{ data: 'a' }, { data: 'b' }]);
  const [{ serials: [serial] }] = two;
  const append = [{ action: 5, serial, data: '+' }];
  const appended = await say(before, 1, append);
  const own = { id: 'my-own', data: 'c' };
  const { serials } = await channel.publish(own);

  await server.kill9();
  await server.start();
  const after = await connectRaw(t, server, { clientId: 'ann', resume: connectionKey });
  assert.equal((await after.next(ACTION.connected)).error, undefined);
  assert.deepEqual(await say(after, 0, [{ data: 'a' }, { data: 'b' }]), two);
  assert.deepEqual(await say(after, 1, append), appended);
  assert.equal((await say(after, 2, [{ data: 'd' }])).length, 1);
  assert.deepEqual((await channel.publish(own)).serials, serials);
  const kept = (await channel.history({ direction: 'forwards' })).items.map(({ data }) => data);
  assert.deepEqual(kept, ['a+', 'b', 'c', 'd']);
  const versions = (await channel.getMessageVersions(serial)).items;
  assert.equal(versions.length, 2);
});
