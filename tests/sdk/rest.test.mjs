// RSC, RSL, RSP: the REST API, with Ably's REST client.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

for (const format of formats) {
  suite(format.name, () => {
    const client = rest(server, format);
    const channelFor = (t) => client.channels.get(`${format.name}:${t.name}`);

    test('the time is now', async () => {
      const before = Date.now();
      const time = await client.time();
      assert.ok(time >= before - 1000 && time <= Date.now() + 1000, String(time));
    });

    test('what is published is in the history, newest first, as it was', async (t) => {
      const channel = channelFor(t);
      await channel.publish('text', 'plain');
      await channel.publish('object', { nested: [1, null, 'ü'] });
      await channel.publish('binary', Buffer.from([0, 1, 254, 255]));
      const { items } = await channel.history();
      assert.deepEqual(items.map(({ name, data }) => [name, Buffer.isBuffer(data) ? [...data] : data]), [
        ['binary', [0, 1, 254, 255]], ['object', { nested: [1, null, 'ü'] }], ['text', 'plain'],
      ]);
      assert.ok(items.every(({ id, timestamp, serial }) => id && timestamp && serial), JSON.stringify(items));
    });

    test('history goes in both directions, page by page, without a gap', async (t) => {
      const channel = channelFor(t);
      const numbers = Array.from({ length: 25 }, (_, i) => i);
      await channel.publish(numbers.map((n) => ({ name: 'n', data: String(n) })));
      for (const [direction, expected] of [['forwards', numbers], ['backwards', numbers.toReversed()]]) {
        const read = [];
        for (let page = await channel.history({ direction, limit: 10 }); page; page = await page.next()) {
          assert.ok(page.items.length <= 10);
          read.push(...page.items.map(({ data }) => Number(data)));
        }
        assert.deepEqual(read, expected, direction);
      }
    });

    test('a message published twice with one id is there once', async (t) => {
      const channel = channelFor(t);
      for (let i = 0; i < 2; i++) await channel.publish({ id: `${format.name}-unique`, name: 'n', data: 'd' });
      assert.equal((await channel.history()).items.length, 1);
    });

    test('presence lists who is there', async (t) => {
      const channel = channelFor(t);
      const ada = await connect(t, server, { clientId: 'ada', ...format });
      await ada.channels.get(channel.name).presence.enter({ username: 'Ada' });
      const { items } = await channel.presence.get();
      assert.deepEqual(items.map(({ clientId, data, action }) => [clientId, data, action]), [['ada', { username: 'Ada' }, 'present']]);
      assert.deepEqual((await channel.presence.get({ clientId: 'eve' })).items, []);
    });

    test('members come page by page, each once', async (t) => {
      const channel = channelFor(t);
      const { presence } = (await connect(t, server, format)).channels.get(channel.name);
      const ids = Array.from({ length: 25 }, (_, i) => `member:${String(i).padStart(2, '0')}`);
      await Promise.all(ids.map((id) => presence.enterClient(id)));
      const read = [];
      for (let page = await channel.presence.get({ limit: 10 }); page; page = await page.next()) {
        assert.ok(page.items.length <= 10);
        read.push(...page.items.map(({ clientId }) => clientId));
      }
      assert.deepEqual(read, ids);
    });

    test('errors are Ably’s, with status and code', async () => {
      const stranger = rest(server, { key: `${server.key}x`, ...format });
      assert.equal(await codeOf(stranger.channels.get('c').publish('n', 'd')), 40101);
      assert.equal(await codeOf(client.channels.get(':bad').publish('n', 'd')), 40010);
      for (const wrong of [{ limit: 5000 }, { limit: 0 }, { direction: 'sideways' }, { start: 2, end: 1 }, { start: 'now' }]) {
        assert.equal(await codeOf(client.channels.get('c').history(wrong)), 40003, JSON.stringify(wrong));
        assert.equal(await codeOf(client.channels.get('c').presence.history(wrong)), 40003, JSON.stringify(wrong));
      }
      assert.equal(await codeOf(client.channels.get('c').presence.get({ limit: 1001 })), 40003);
      assert.equal(await codeOf(client.channels.get('c').publish('n', 'x'.repeat(70_000))), 40009);
      const { statusCode, errorCode } = await client.request('GET', '/no/such/path', 3);
      assert.deepEqual([statusCode, errorCode], [404, 40400]);
    });
  });
}

test('a subscriber hears what REST publishes, binary data too, in its own format', async (t) => {
  for (const format of formats) {
    const subscriber = await connect(t, server, format);
    const channel = subscriber.channels.get(`heard:${format.name}`);
    const heard = new Promise((resolve) => channel.subscribe(resolve));
    await channel.attach();
    await rest(server).channels.get(channel.name).publish({ name: 'n', data: Buffer.from([255, 0]), extras: { headers: { a: 1 } } });
    const { name, data, extras } = await heard;
    assert.deepEqual([name, [...new Uint8Array(data)], extras], ['n', [255, 0], { headers: { a: 1 } }]);
  }
});

test('untilAttach gives exactly what came before the attachment', async (t) => {
  const client = await connect(t, server);
  const channel = client.channels.get('until-attach');
  await rest(server).channels.get('until-attach').publish([{ name: 'n', data: '1' }, { name: 'n', data: '2' }]);
  await channel.attach();
  await channel.publish('n', '3');
  const { items } = await channel.history({ untilAttach: true });
  assert.deepEqual(items.map(({ data }) => data), ['2', '1']);
});
