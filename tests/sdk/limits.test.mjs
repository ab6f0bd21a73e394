// What an app may use, as its clients find out.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, connecting, formats, listen, rest } from '../support/clients.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { until, within } from '../support/until.mjs';

const sandbox = await startSandbox({ after });
const settled = (promises) => Promise.allSettled(promises).then((all) => all.map(({ reason }) => reason?.code ?? 'ok'));

for (const format of formats) {
  suite(format.name, () => {
    test('a publish that is too large is refused, on realtime and REST, and the client knows beforehand', async (t) => {
      const app = await sandbox.createApp({ limits: { message_bytes: 1000 } });
      const client = await connect(t, app, format);
      assert.equal(client.connection.connectionManager.connectionDetails.maxMessageSize, 1000);
      await client.channels.get('room').publish('n', 'x'.repeat(900));
      for (const channel of [client.channels.get('room'), rest(app, { ...format, maxMessageSize: 65_536 }).channels.get('room')]) {
        assert.equal(await codeOf(channel.publish('n', 'x'.repeat(1001))), 40009);
      }
    });

    test('all text of a publish counts, and none leaves as a frame that is too large', async (t) => {
      const app = await sandbox.createApp({});
      const client = await connect(t, app, { ...format, clientId: 'ann' });
      const channel = client.channels.get('room'), http = rest(app, format);
      const heard = await listen(channel);
      const post = (messages) => http.request('POST', '/channels/room/messages', 6, null, messages, {});
      const large = 'x'.repeat(2_000);
      const { serials: [serial] } = await channel.publish('n', 'small');
      const refused = [
        post(Array.from({ length: 1_000 }, () => ({ data: 'x', encoding: large }))),
        post([{ data: 'x', encoding: 'x'.repeat(70_000) }]),
        http.request('PATCH', `/channels/room/messages/${encodeURIComponent(serial)}`, 6, null,
          { data: 'x', version: { description: 'x'.repeat(70_000) } }, {}),
      ];
      for (const { errorCode } of await Promise.all(refused)) assert.equal(errorCode, 40009);
      for (const member of [{ encoding: 'x'.repeat(400_000) }, { id: 'x'.repeat(400_000) }]) {
        const raw = await connectRaw(t, app, { clientId: 'bob' });
        raw.send({ action: ACTION.attach, channel: 'room' });
        await raw.next(ACTION.attached);
        raw.send({ action: ACTION.presence, channel: 'room', msgSerial: 0, presence: [{ action: 2, ...member }] });
        assert.equal((await raw.next(ACTION.nack)).error.code, 40009);
      }
      assert.equal(heard.length, 1);
    });

    test('a page of history ends before it is too large', async (t) => {
      const app = await sandbox.createApp({});
      const channel = rest(app, format).channels.get('room');
      for (let i = 0; i < 100; ++i) await channel.publish('n', 'x'.repeat(60_000));
      const pages = [];
      for (let page = await channel.history({ limit: 1_000 }); page; page = await page.next()) pages.push(page.items.length);
      assert.equal(pages.reduce((a, b) => a + b), 100);
      assert.ok(Math.max(...pages) * 60_000 <= 4 << 20, String(pages));
    });

    test('a connection that publishes too fast has its publishes refused, and goes on', async (t) => {
      const app = await sandbox.createApp({ limits: { inbound_per_connection: 5 } });
      const client = await connect(t, app, format);
      assert.equal(client.connection.connectionManager.connectionDetails.maxInboundRate, 5);
      const channel = client.channels.get('room');
      const heard = await listen(channel);
      const all = await settled(Array.from({ length: 20 }, (_, i) => channel.publish('n', `${i}`)));
      assert.ok(all.includes('ok') && all.includes(42911), String(all));
      await until(() => channel.publish('n', 'later').then(() => true, () => false), 'the rate to allow more');
      await until(() => heard.at(-1)?.data === 'later', 'the last message');
      assert.equal(client.connection.state, 'connected');
    });

    test('a channel takes so many messages a second from all, over REST too', async (t) => {
      const app = await sandbox.createApp({ limits: { inbound_per_channel: 3 } });
      const client = await connect(t, app, format), http = rest(app, format);
      const publishes = Array.from({ length: 6 }, (_, i) => (i % 2 ? client : http).channels.get('room').publish('n', `${i}`));
      const all = await settled(publishes);
      assert.ok(all.includes('ok') && all.includes(42910), String(all));
      await http.channels.get('another').publish('n', 'd');
    });

    test('a channel has so many members', async (t) => {
      const app = await sandbox.createApp({ limits: { presence: { maxMembers: 2 } } });
      const client = await connect(t, app, format);
      const { presence } = client.channels.get('room');
      await presence.enterClient('ann');
      await presence.enterClient('bob');
      assert.equal(await codeOf(presence.enterClient('carl')), 91003);
      await presence.updateClient('ann', 'still here');
    });

    test('a connection attaches to so many channels', async (t) => {
      const app = await sandbox.createApp({ limits: { channels_per_connection: 2 } });
      const client = await connect(t, app, format);
      for (const name of ['a', 'b']) await client.channels.get(name).attach();
      assert.equal(await codeOf(client.channels.get('c').attach()), 90010);
      await client.channels.get('a').detach();
      await client.channels.get('d').attach();
    });

    test('an app has so many connections, and a client that comes back finds its place', async (t) => {
      const app = await sandbox.createApp({ limits: { connections: 1 } });
      const client = await connect(t, app, format);
      const late = connecting(t, app, format);
      const { reason } = await within(new Promise((resolve) => late.connection.on('failed', resolve)), 'the refusal');
      assert.deepEqual([reason.code, reason.statusCode], [40111, 403]);
      const { id } = client.connection;
      client.connection.connectionManager.activeProtocol.getTransport().wsConnection.terminate();
      await within(new Promise((resolve) => client.connection.once('connected', resolve)), 'the connection again');
      assert.equal(client.connection.id, id);
      client.close();
      await within(client.connection.whenState('closed'), 'the goodbye');
      // An SDK does not wait for the server to answer its CLOSE, which the next one may overtake.
      await until(() => new Promise((resolve) => {
        const { connection } = connecting(t, app, format);
        connection.once('connected', () => resolve(true));
        connection.once('failed', () => resolve(false));
      }), 'the place to be free');
    });
  });
}
