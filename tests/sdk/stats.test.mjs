// RSC6, TS12: what an app has used, and fixtures of it (G3).
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, listen, rest } from '../support/clients.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { until, within } from '../support/until.mjs';

const sandbox = await startSandbox({ after });
const year = new Date().getUTCFullYear() - 1;
const minute = (of, inbound, outbound, more = {}) => ({
  intervalId: `${year}-02-03:15:0${of}`,
  inbound: { realtime: { messages: { count: inbound, data: inbound * 100 } } },
  outbound: { realtime: { messages: { count: outbound, data: outbound * 100 } } },
  ...more,
});
const fixtures = [
  minute(3, 50, 20),
  minute(4, 60, 10),
  minute(5, 70, 40, {
    persisted: { presence: { count: 20, data: 2000 } },
    connections: { tls: { peak: 20, opened: 10 } },
    channels: { peak: 50, opened: 30 },
    apiRequests: { succeeded: 50, failed: 10 },
    tokenRequests: { succeeded: 60, failed: 20 },
  }),
];
const post = (app, body, key = app.key) => fetch(`${app.origin}/stats`, {
  method: 'POST', body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(key)}` },
});

async function appWithFixtures() {
  const app = await sandbox.createApp();
  assert.equal((await post(app, fixtures)).status, 201);
  return app;
}
const app = await appWithFixtures();
const inbound = ({ items }) => items.map(({ entries }) => entries['messages.inbound.all.messages.count']);

for (const format of formats) {
  suite(format.name, () => {
    const client = rest(app, format);

    test('minutes are asked for by their ids or by time, in either direction', async () => {
      const period = { start: `${year}-02-03:15:03`, end: `${year}-02-03:15:05` };
      assert.deepEqual(inbound(await client.stats({ ...period, direction: 'forwards' })), [50, 60, 70]);
      assert.deepEqual(inbound(await client.stats(period)), [70, 60, 50]);
      const times = { start: Date.UTC(year, 1, 3, 15, 3), end: Date.UTC(year, 1, 3, 15, 4, 59) };
      assert.deepEqual(inbound(await client.stats({ ...times, direction: 'forwards' })), [50, 60]);
      const { items: [stats] } = await client.stats({ ...period, limit: 1 });
      assert.deepEqual([stats.intervalId, stats.unit, stats.appId, stats.inProgress], [`${year}-02-03:15:05`, 'minute', app.appId, undefined]);
      assert.match(stats.schema, /^https:/);
    });

    test('entries have the sums of the schema', async () => {
      const { items: [{ entries }] } = await client.stats({ end: `${year}-02-03:15:05`, limit: 1 });
      assert.deepEqual(Object.fromEntries(Object.entries(entries).filter(([name]) => !name.startsWith('messages.') || name.endsWith('all.count'))), {
        'apiRequests.all.failed': 30, 'apiRequests.all.succeeded': 110, 'apiRequests.other.failed': 10, 'apiRequests.other.succeeded': 50,
        'apiRequests.tokenRequests.failed': 20, 'apiRequests.tokenRequests.succeeded': 60,
        'channels.opened': 30, 'channels.peak': 50, 'connections.all.opened': 10, 'connections.all.peak': 20,
        'messages.all.all.count': 110, 'messages.inbound.all.all.count': 70, 'messages.inbound.realtime.all.count': 70,
        'messages.outbound.all.all.count': 40, 'messages.outbound.realtime.all.count': 40, 'messages.persisted.all.count': 20,
      });
    });

    test('hours, days and months are sums', async () => {
      for (const [unit, id] of [['hour', `${year}-02-03:15`], ['day', `${year}-02-03`], ['month', `${year}-02`]]) {
        const page = await client.stats({ start: id, end: id, unit });
        assert.deepEqual([inbound(page), page.items[0].intervalId, page.items[0].unit], [[180], id, unit]);
      }
      assert.deepEqual(inbound(await client.stats({ end: `${year}-02-03:18`, by: 'hour' })), [180]);
    });

    test('pages lead to one another', async () => {
      for (const [direction, expected] of [['forwards', [50, 60, 70]], ['backwards', [70, 60, 50]]]) {
        const read = [];
        let page = await client.stats({ end: `${year}-02-03:15:05`, direction, limit: 1 });
        const first = page;
        for (; page; page = await page.next()) read.push(...inbound(page));
        assert.deepEqual(read, expected);
        assert.deepEqual(inbound(await (await first.next()).first()), inbound(first));
      }
    });
  });
}

test('what happens is counted, on the way in and out, and while it is under way', async (t) => {
  const own = await sandbox.createApp();
  const [ann, bob] = [await connect(t, own, { clientId: 'ann' }), await connect(t, own, formats[1])];
  const heard = await listen(bob.channels.get('live'));
  await ann.channels.get('live').attach();
  await ann.channels.get('live').publish('n', 'four');
  await rest(own).channels.get('live').publish([{ name: 'n', data: 'four' }, { data: 'four' }]);
  await ann.channels.get('live').presence.enter();
  await until(() => heard.length === 3, 'the messages');
  await rest(own).channels.get('live').history();
  await rest(own).auth.requestToken();
  assert.equal(await codeOf(rest(own).channels.get('live').history({ limit: 0 })), 40003);
  const stats = async () => (await rest(own).stats({ unit: 'month' })).items[0];
  const { entries, inProgress, intervalId } = await stats();
  assert.match(inProgress, /^\d{4}-\d\d-\d\d:\d\d:\d\d:\d\d$/);
  assert.ok(inProgress.startsWith(intervalId));
  const wanted = {
    'messages.inbound.realtime.messages.count': 1, 'messages.inbound.realtime.messages.data': 5 + 'ann'.length,
    'messages.inbound.rest.messages.count': 2, 'messages.inbound.rest.messages.data': 9,
    'messages.inbound.realtime.presence.count': 1,
    'messages.outbound.realtime.messages.count': 6, 'messages.outbound.realtime.presence.count': 2,
    'messages.outbound.rest.messages.count': 3,
    'connections.all.peak': 2, 'connections.all.opened': 2, 'channels.peak': 1, 'channels.opened': 1,
    'apiRequests.tokenRequests.succeeded': 1, 'apiRequests.other.succeeded': 2, 'apiRequests.other.failed': 1,
  };
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, entries[name]])), wanted);
  ann.close();
  await within(ann.connection.whenState('closed'), 'the goodbye');
  assert.equal((await stats()).entries['connections.all.peak'], 2);
});

test('statistics are their app’s, and need its capability', async () => {
  const other = await sandbox.createApp();
  assert.deepEqual((await rest(other).stats({ end: `${year}-12-31` })).items, []);
  const { token } = await rest(app).auth.requestToken({ capability: { 'room:*': ['*'] } });
  assert.equal(await codeOf(rest(app, { token }).stats()), 40160);
  assert.equal((await post(app, fixtures, `${app.key}x`)).status, 401);
});

test('what is malformed is refused', async () => {
  const client = rest(app);
  for (const wrong of [{ unit: 'second' }, { limit: 1001 }, { start: 2, end: 1 }, { start: 'yesterday' }, { direction: 'up' }]) {
    assert.equal(await codeOf(client.stats(wrong)), 40003, JSON.stringify(wrong));
  }
  for (const body of [7, [{}], { intervalId: 'now' }]) assert.equal((await post(app, body)).status, 400, JSON.stringify(body));
});
