// What a client asks for with an attach, and what it is told that it has: modes, params, members; and what of it changes with a token.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { codeOf, connect, dropTransport, formats, listen, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const data = (messages) => messages.map((message) => message.data);
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));
const ATTACH_RESUME = 32, SYNC = 16;

async function publish(name, texts) {
  for (const text of texts) await rest(server).channels.get(name).publish('n', text);
}

/** Attaches a fresh client: its channel, what it hears, and the change of state that told it that it is attached. */
async function attach(t, format, name, options) {
  const channel = (await connect(t, server, format)).channels.get(name, options);
  const heard = [];
  const attached = new Promise((resolve) => channel.once('attached', resolve));
  await within(channel.subscribe((message) => heard.push(message)), 'the attachment');
  return { channel, heard, attached: await attached };
}

for (const format of formats) {
  suite(format.name, () => {
    test('RTL4k, RTL4m: the param modes wins over the modes, and is told as granted', async (t) => {
      const name = `modes:${format.name}`;
      const client = await connect(t, server, format);
      const channel = client.channels.get(name, { modes: ['PUBLISH'], params: { modes: 'subscribe,presence,flying' } });
      await within(channel.attach(), 'the attachment');
      assert.deepEqual([channel.modes.toSorted(), channel.params.modes], [['presence', 'subscribe'], 'presence,subscribe']);
      assert.equal(await codeOf(channel.publish('n', 'x')), 40160);

      const { token } = await rest(server).auth.requestToken({ capability: { [name]: ['subscribe'] } });
      const narrow = (await connect(t, server, { ...format, token })).channels.get(name, { params: { modes: 'publish,subscribe' } });
      await within(narrow.attach(), 'the attachment');
      assert.deepEqual([narrow.modes, narrow.params], [['subscribe'], { modes: 'subscribe' }]);
    });

    test('TB2c: a rewind may be a number; a time has a limit, the client’s or ours, and of ours it is told', async (t) => {
      const name = `rewind:${format.name}`;
      await publish(name, numbers(0, 3));
      const byNumber = await attach(t, format, name, { params: { rewind: 1 } });
      await until(() => byNumber.heard.length, 'the last message');
      assert.deepEqual([data(byNumber.heard), byNumber.attached.hasBacklog, byNumber.attached.resumed], [['2'], true, false]);
      const limited = await attach(t, format, name, { params: { rewind: '2m', rewindLimit: '2' } });
      await until(() => limited.heard.length === 2, 'two messages');
      assert.deepEqual([data(limited.heard), limited.attached.reason, limited.channel.params.rewindLimit], [['1', '2'], undefined, '2']);

      await rest(server).channels.get(name).publish(numbers(3, 7).map((text) => ({ name: 'n', data: text })));
      await Promise.all(numbers(7, 110).map((text) => rest(server).channels.get(name).publish('n', text)));
      const many = await attach(t, format, name, { params: { rewind: '2m' } });
      await until(() => many.heard.length >= 100, 'a hundred messages');
      assert.deepEqual([many.heard.length, many.attached.reason.code], [100, 90004]);
      const none = await attach(t, format, `empty:${name}`, { params: { rewind: '2m' } });
      assert.equal(none.attached.hasBacklog, false);
    });

    test('RTL4j: who comes back goes on where it was, and is not told of the past again', async (t) => {
      const name = `back:${format.name}`;
      await publish(name, ['1', '2']);
      const { channel, heard } = await attach(t, format, name, { params: { rewind: '2' } });
      await until(() => heard.length === 2, 'the past');
      const back = new Promise((resolve) => channel.client.connection.once('disconnected', () => channel.client.connection.once('connected', resolve)));
      dropTransport(channel.client);
      await publish(name, ['3']);
      await within(back, 'the connection');
      await publish(name, ['4']);
      await until(() => data(heard).includes('4'), 'the last message');
      assert.deepEqual(data(heard), ['1', '2', '3', '4']);
    });

    test('a channel without a name fails, and the connection goes on', async (t) => {
      const client = await connect(t, server, format);
      assert.equal(await codeOf(client.channels.get('').attach()), 40010);
      const publisher = await connect(t, server, format);
      assert.equal(await codeOf(publisher.channels.get('').publish('n', 'x')), 40010);
      assert.deepEqual([client.connection.state, client.channels.get('').state], ['connected', 'failed']);
      await within(client.channels.get(`named:${format.name}`).attach(), 'another channel');
    });

    test('RTC8a1: what was asked for in vain is granted by a better token, without a new attach', async (t) => {
      const name = `better:${format.name}`;
      let operations = ['subscribe'];
      const authCallback = (_, done) => rest(server).auth.requestToken({ capability: { [name]: operations } }).then((token) => done(null, token), done);
      const client = await connect(t, server, { ...format, authCallback });
      const channel = client.channels.get(name);
      const heard = await listen(channel);
      const { id } = client.connection;
      assert.deepEqual(channel.modes.includes('publish'), false);
      const states = [];
      channel.on(({ current, resumed }) => states.push([current, resumed]));
      operations = ['subscribe', 'publish', 'presence'];
      await within(client.auth.authorize(), 'the better token');
      await until(() => channel.modes.includes('publish') && channel.modes.includes('presence'), 'the modes');
      await channel.publish('n', 'granted');
      await until(() => heard.length, 'the message');
      assert.deepEqual([data(heard), states, client.connection.id], [['granted'], [], id]);
    });

    test('RTP17a: who may be present and not subscribe is told of itself, and of nobody else', async (t) => {
      const name = `self:${format.name}`;
      const other = (await connect(t, server, { ...format, clientId: 'other' })).channels.get(name);
      await other.presence.enter();
      const { token } = await rest(server).auth.requestToken({ clientId: 'ada', capability: { [name]: ['presence'] } });
      const channel = (await connect(t, server, { ...format, token })).channels.get(name);
      await within(channel.attach(), 'the attachment');
      await channel.presence.enter('here');
      await other.presence.update('unseen');
      const members = await until(async () => {
        const all = await channel.presence.get();
        return all.length > 0 && all;
      }, 'the member');
      assert.deepEqual(members.map(({ clientId, data: each }) => [clientId, each]), [['ada', 'here']]);
    });

    test('extras.privileged is for who has privileged-headers, and deltas are the server’s to make', async (t) => {
      const name = `extras:${format.name}`;
      const heard = await listen((await connect(t, server, format)).channels.get(name));
      const { token } = await rest(server).auth.requestToken({ capability: { [name]: ['publish'] } });
      const message = { name: 'n', data: 'x', extras: { privileged: { a: 1 } } };
      for (const channel of [(await connect(t, server, { ...format, token })).channels.get(name), rest(server, { ...format, token }).channels.get(name)]) {
        assert.equal(await codeOf(channel.publish(message)), 40160);
        assert.equal(await codeOf(channel.publish({ name: 'n', data: 'x', encoding: 'vcdiff' })), 40013);
        await channel.publish('n', 'plain');
      }
      await rest(server, format).channels.get(name).publish(message);
      await until(() => heard.length === 3, 'the messages');
      assert.deepEqual(heard.map(({ data: each, extras }) => [each, extras?.privileged]), [['plain', undefined], ['plain', undefined], ['x', { a: 1 }]]);
    });

    test('RTN13: a ping is answered', async (t) => {
      const client = await connect(t, server, format);
      assert.equal(typeof (await within(client.connection.ping(), 'the answer')), 'number');
    });
  });
}

test('RTL4j: an ATTACH that says that it comes back does not rewind, even where it cannot resume', async (t) => {
  await publish('flagged', ['1', '2']);
  const client = await connectRaw(t, server);
  const params = { rewind: '2' };
  for (const [channel, more] of Object.entries({ '[?a=1]flagged': { flags: ATTACH_RESUME }, '[?b=1]flagged': { channelSerial: 'elsewhere' }, flagged: {} })) {
    client.send({ action: ACTION.attach, channel, params, ...more });
  }
  await until(() => client.frames.some(({ action, channel, messages }) => action === ACTION.message && channel === 'flagged' && messages[0].data === '2'));
  assert.deepEqual(client.frames.filter(({ action }) => action === ACTION.message).map(({ channel }) => channel), ['flagged', 'flagged']);
});

test('RTP19: a SYNC that a client asks for tells it who is present', async (t) => {
  const { presence } = (await connect(t, server, { clientId: 'ada' })).channels.get('asked');
  await presence.enter('here');
  const client = await connectRaw(t, server);
  client.send({ action: ACTION.attach, channel: 'asked' });
  const first = await client.next(SYNC);
  client.send({ action: SYNC, channel: 'asked' });
  await until(() => client.frames.filter(({ action }) => action === SYNC).length === 2, 'another SYNC');
  const second = client.frames.findLast(({ action }) => action === SYNC);
  assert.deepEqual(second.presence.map(({ clientId, data: each }) => [clientId, each]), [['ada', 'here']]);
  assert.notEqual(second.channelSerial, first.channelSerial);
  assert.match(second.channelSerial, /^\w+:$/);
  client.send({ action: SYNC, channel: 'not attached' });
  const { channel, error } = await client.next(ACTION.error);
  assert.deepEqual([channel, error.code], ['not attached', 90001]);
});

test('TE: a token request whose numbers are written as text is as good', async () => {
  const [keyName, secret] = server.key.split(':');
  const request = { keyName, ttl: '60000', capability: '{"*":["*"]}', clientId: 'ada', timestamp: String(Date.now()), nonce: 'n'.repeat(16) + Date.now() };
  const text = [keyName, request.ttl, request.capability, request.clientId, request.timestamp, request.nonce].map((line) => `${line}\n`).join('');
  const body = JSON.stringify({ ...request, mac: createHmac('sha256', secret).update(text).digest('base64') });
  const details = await server.getJson(`/keys/${keyName}/requestToken`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  assert.deepEqual([details.clientId, details.expires - details.issued], ['ada', 60_000]);
});
