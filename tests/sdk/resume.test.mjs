// Coming back: after a lost transport (RTN15), on a new connection (RTL4c1, channelSerial), and when it was too long.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { connect, dropTransport, formats, listen, options, Ably } from '../support/clients.mjs';
import { makeLink } from '../support/link.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

const reconnected = (client) => within(
  new Promise((resolve) => client.connection.once('disconnected', () => client.connection.once('connected', resolve))), 'the reconnection',
);
const data = (messages) => messages.map((message) => message.data);

for (const format of formats) {
  suite(format.name, () => {
    test('a lost transport is resumed: the same connection, nothing lost, nothing twice', async (t) => {
      const name = `resume:${format.name}`;
      const [client, publisher] = [await connect(t, server, format), await connect(t, server, format)];
      const heard = await listen(client.channels.get(name));
      const { id } = client.connection;
      const resumed = [];
      client.channels.get(name).on(['attached', 'update'], (change) => resumed.push(change.resumed));
      for (let n = 0; n < 30; n++) {
        if (n % 10 === 5) {
          const back = reconnected(client);
          dropTransport(client);
          await publisher.channels.get(name).publish('n', `${n}`);
          await back;
        } else {
          await publisher.channels.get(name).publish('n', `${n}`);
        }
      }
      await until(() => heard.length >= 30, 'every message');
      assert.deepEqual(data(heard), Array.from({ length: 30 }, (_, n) => `${n}`));
      assert.equal(client.connection.id, id);
      assert.ok(!resumed.includes(false), String(resumed));
    });

    test('what was published when the transport broke arrives once', async (t) => {
      const name = `publish:${format.name}`;
      const [client, listener] = [await connect(t, server, format), await connect(t, server, format)];
      const heard = await listen(listener.channels.get(name));
      const publishing = [];
      for (let n = 0; n < 60; n++) {
        publishing.push(client.channels.get(name).publish('n', `${n}`));
        if (n % 20 === 10) {
          const back = reconnected(client);
          dropTransport(client);
          await back;
        }
      }
      await within(Promise.all(publishing), 'every ACK');
      await until(() => heard.length >= 60, 'every message');
      assert.deepEqual(data(heard), Array.from({ length: 60 }, (_, n) => `${n}`));
    });

    test('recover continues a connection in a new client', async (t) => {
      const name = `recover:${format.name}`;
      const [client, publisher] = [await connect(t, server, format), await connect(t, server, format)];
      await listen(client.channels.get(name));
      await publisher.channels.get(name).publish('n', 'before');
      await until(() => client.channels.get(name).properties.channelSerial, 'a channelSerial');
      const recover = client.connection.createRecoveryKey();
      dropTransport(client);
      client.connection.connectionManager.disconnectAllTransports?.();
      await publisher.channels.get(name).publish('n', 'between');
      const heir = new Ably.Realtime(options(server, { ...format, recover }));
      t.after(() => heir.close());
      const heard = [];
      const attached = heir.channels.get(name).subscribe((message) => heard.push(message));
      await within(attached, 'the attachment');
      await publisher.channels.get(name).publish('n', 'after');
      await until(() => data(heard).includes('after'), 'the last message');
      assert.deepEqual(data(heard).filter((text) => text !== 'before'), ['between', 'after']);
    });
  });
}

/** A client that goes SUSPENDED half a second after its link is cut, as it would after two minutes. */
async function suspendable(t, more) {
  const link = await makeLink(t, server.port);
  const client = await connect(t, server, { port: link.port, ...more });
  const suspend = async () => {
    client.connection.connectionManager.connectionStateTtl = 500;  // each CONNECTED sets it anew
    const suspended = within(client.connection.whenState('suspended'), 'SUSPENDED');
    link.cut();
    await suspended;
  };
  const comeBack = async () => {
    const connected = within(client.connection.whenState('connected'), 'the connection');
    link.mend();
    await connected;
  };
  return { client, suspend, comeBack };
}

for (const format of formats) {
  suite(`through SUSPENDED, ${format.name}`, () => {
    // RTN14d, RTN15g as of spec 6.1: id, key and channelSerials are kept, and a resume is tried in any case.
    test('a client that was suspended resumes: the same connection, nothing lost, nothing twice, still present', async (t) => {
      const name = `suspended:${format.name}`;
      const { client, suspend, comeBack } = await suspendable(t, { ...format, clientId: 'ada' });
      const publisher = await connect(t, server, format);
      const channel = client.channels.get(name), heard = await listen(channel);
      await channel.presence.enter('here');
      const { id } = client.connection;
      for (let round = 0; round < 2; round++) {
        await publisher.channels.get(name).publish('n', `${round} before`);
        await until(() => data(heard).includes(`${round} before`), 'the message before');
        await suspend();
        assert.equal(channel.state, 'suspended');
        await publisher.channels.get(name).publish('n', `${round} between`);
        const attached = within(new Promise((resolve) => channel.once('attached', resolve)), 'the attachment');
        await comeBack();
        assert.equal((await attached).resumed, true);
        assert.deepEqual([client.connection.id, client.connection.errorReason], [id, null]);
        await channel.publish('n', `${round} after`);
        await until(() => data(heard).includes(`${round} after`), 'the message after');
      }
      assert.deepEqual(data(heard), [0, 1].flatMap((round) => [`${round} before`, `${round} between`, `${round} after`]));
      const members = await publisher.channels.get(name).presence.get();
      assert.deepEqual(members.map(({ clientId, data: said }) => [clientId, said]), [['ada', 'here']]);
    });

    test('a client whose connection is gone by then is told, and its channels resume by their channelSerials', async (t) => {
      const name = `forgotten:${format.name}`;
      const { client, suspend, comeBack } = await suspendable(t, format);
      const publisher = await connect(t, server, format);
      const channel = client.channels.get(name), heard = await listen(channel);
      const { id, key } = client.connection;
      await publisher.channels.get(name).publish('n', 'before');
      await until(() => heard.length, 'the message before');
      await suspend();
      assert.deepEqual([client.connection.id, client.connection.key], [id, key]);
      // As when its time is up.
      await fetch(`${server.origin}/comet/${encodeURIComponent(key)}/close?key=${encodeURIComponent(server.key)}`);
      await publisher.channels.get(name).publish('n', 'between');
      const attached = within(new Promise((resolve) => channel.once('attached', resolve)), 'the attachment');
      await comeBack();
      assert.equal((await attached).resumed, true);
      assert.notEqual(client.connection.id, id);
      assert.equal(client.connection.errorReason?.code, 80008);
      await until(() => heard.length === 2, 'the message between');
      assert.deepEqual(data(heard), ['before', 'between']);
    });
  });
}

/** Attaches by hand, from a channelSerial when one is given: {attached, client}. */
async function attachRaw(t, channel, channelSerial) {
  const client = await connectRaw(t, server);
  await client.next(ACTION.connected);
  client.send({ action: ACTION.attach, channel, ...(channelSerial && { channelSerial }) });
  return { client, attached: await client.next(ACTION.attached) };
}
const RESUMED = 4;
const dataOf = (client) => client.frames.filter(({ action }) => action === ACTION.message).flatMap(({ messages }) => messages.map((m) => m.data));

test('an ATTACH with a channelSerial on a new connection gives exactly what came since', async (t) => {
  const publisher = await connect(t, server);
  const publish = (...numbers) => publisher.channels.get('serial').publish(numbers.map((n) => ({ name: 'n', data: n })));
  await publish('1', '2');
  const first = await attachRaw(t, 'serial');
  await publish('3');
  const { channelSerial } = await first.client.next(ACTION.message);
  first.client.vanish();
  await publish('4', '5');
  const { client, attached } = await attachRaw(t, 'serial', channelSerial);
  await publish('6');
  await until(() => dataOf(client).includes('6'), 'the live message');
  assert.equal(attached.flags & RESUMED, RESUMED);
  assert.deepEqual(dataOf(client), ['4', '5', '6']);
});

test('a channelSerial that is no place on the channel is answered without RESUMED, from now on', async (t) => {
  const publisher = await connect(t, server);
  await publisher.channels.get('odd').publish('n', 'past');
  for (const serial of ['nonsense', '0', 'ffffffffffff', `${'9'.repeat(300)}`]) {
    const { client, attached } = await attachRaw(t, 'odd', serial);
    assert.equal(attached.flags & RESUMED, 0, serial);
    await publisher.channels.get('odd').publish('n', serial);
    await until(() => dataOf(client).length, 'a live message');
    assert.deepEqual(dataOf(client), [serial]);
  }
});

test('all that a channel still has is replayed, however much that is, and one who missed more is told', async (t) => {
  const publisher = await connect(t, server);
  const channel = publisher.channels.get('flood');
  await channel.publish('n', 'first');
  const first = await attachRaw(t, 'flood');
  const { channelSerial } = first.attached;
  first.client.vanish();
  const flood = (length, data) => within(Promise.all(Array.from({ length }, () => channel.publish('n', data))), 'the flood', 60_000);
  await flood(10_001, 'x');
  const { client, attached } = await attachRaw(t, 'flood', channelSerial);
  assert.equal(attached.flags & RESUMED, RESUMED);
  await until(() => dataOf(client).length >= 10_001, 'all of it', 30_000);
  assert.deepEqual(new Set(dataOf(client)), new Set(['x']));
  assert.equal(dataOf(client).length, 10_001);
  await flood(300, 'y'.repeat(60_000));  // of 16 MiB
  assert.equal((await attachRaw(t, 'flood', channelSerial)).attached.flags & RESUMED, 0);
});

test('a connection key of somebody else resumes nothing', async (t) => {
  const victim = await connect(t, server, { clientId: 'ada' });
  const forged = `${victim.connection.id}!0000000000000000000000`;
  const { connectionId, error } = await (await connectRaw(t, server, { resume: forged })).next(ACTION.connected);
  assert.notEqual(connectionId, victim.connection.id);
  assert.ok(error?.code, 'the new connection says why the old was not resumed');
});
