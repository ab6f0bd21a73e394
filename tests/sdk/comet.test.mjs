// Clients that cannot have a WebSocket: HTTP streaming and long polling, on more shards than one, so that a client's requests come
// in on any of them.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, connecting, listen, rest, Ably, options } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve', args: ['--shards', '4'] });
const data = (messages) => messages.map((message) => message.data);
const ways = [
  { name: 'streaming', more: { transports: ['comet'] } },
  { name: 'polling', more: { transports: ['comet'], transportParams: { stream: false } } },
];
const transportOf = (client) => client.connection.connectionManager.activeProtocol.getTransport();
const change = (client, state) => within(new Promise((resolve) => client.connection.once(state, resolve)), state);

for (const { name: way, more } of ways) {
  suite(way, () => {
    test('what a WebSocket client says is heard, and the other way round, in order', async (t) => {
      const name = `both:${way}`;
      const [comet, webSocket] = [await connect(t, server, more), await connect(t, server)];
      assert.match(transportOf(comet).toString(), /^NodeCometTransport/);
      const [heard, overheard] = [await listen(comet.channels.get(name)), await listen(webSocket.channels.get(name))];
      const publishing = [];
      for (let n = 0; n < 50; n++) publishing.push((n % 2 ? comet : webSocket).channels.get(name).publish('n', { n, text: 'ü' }));
      await within(Promise.all(publishing), 'every ACK');
      await until(() => heard.length >= 50 && overheard.length >= 50, 'every message');
      assert.deepEqual(data(heard), data(overheard));
      assert.deepEqual(data(heard).map(({ n }) => n).sort((a, b) => a - b), Array.from({ length: 50 }, (_, n) => n));
    });

    test('presence comes and goes, at once on a close', async (t) => {
      const name = `presence:${way}`;
      const [comet, watcher] = [await connect(t, server, { ...more, clientId: 'ada' }), await connect(t, server)];
      const seen = [];
      await watcher.channels.get(name).presence.subscribe(({ action, clientId }) => seen.push(`${clientId} ${action}`));
      await within(comet.channels.get(name).presence.enter({ mood: 'fine' }), 'to enter');
      await until(() => seen.length === 1, 'the member');
      assert.deepEqual((await comet.channels.get(name).presence.get()).map(({ data }) => data), [{ mood: 'fine' }]);
      const left = Date.now();
      comet.close();
      await until(() => seen.length === 2, 'the leave');
      assert.deepEqual(seen, ['ada enter', 'ada leave']);
      assert.ok(Date.now() - left < 5000, 'no grace period after a goodbye');
    });

    test('a broken request loses the transport, and the connection is resumed with nothing lost', async (t) => {
      const name = `resume:${way}`;
      const [comet, publisher] = [await connect(t, server, more), await connect(t, server)];
      const heard = await listen(comet.channels.get(name));
      const { id } = comet.connection;
      for (let n = 0; n < 20; n++) {
        if (n % 10 === 5) {
          await until(() => comet.connection.state === 'connected', 'it to be back');
          const disconnected = change(comet, 'disconnected');
          for (const sockets of Object.values(transportOf(comet).httpAgent.sockets)) sockets.forEach((socket) => socket.destroy());
          await disconnected;
        }
        await publisher.channels.get(name).publish('n', `${n}`);
      }
      await until(() => heard.length >= 20, 'every message');
      assert.deepEqual(data(heard), Array.from({ length: 20 }, (_, n) => `${n}`));
      assert.equal(comet.connection.id, id);
    });

    test('more than one answer holds comes in several', async (t) => {
      const name = `large:${way}`;
      const [comet, publisher] = [await connect(t, server, more), await connect(t, server)];
      const heard = await listen(comet.channels.get(name));
      for (let n = 0; n < 40; n++) publisher.channels.get(name).publish(`${n}`, 'x'.repeat(60_000));
      await until(() => heard.length === 40, 'every message');
      assert.deepEqual(heard.map((message) => message.name), Array.from({ length: 40 }, (_, n) => `${n}`));
    });

    test('bad credentials are told apart', async (t) => {
      const code = async (credentials) => (await change(connecting(t, server, { ...more, ...credentials }), 'failed')).reason.code;
      assert.equal(await code({ key: `${server.key}x` }), 40101);
      assert.equal(await code({ token: 'nonsense' }), 40171);  // the SDK’s own: a token error, and no way to renew it
    });

    test('a token can be renewed on a live connection', async (t) => {
      const authCallback = (_, done) => rest(server).auth.requestToken({ clientId: 'ada' }).then((token) => done(null, token), done);
      const comet = await connect(t, server, { ...more, authCallback });
      const { id } = comet.connection;
      await within(comet.auth.authorize(), 'the new token to be taken');
      await within(comet.channels.get('after').publish('n', 'd'), 'a publish under it');
      assert.equal(comet.connection.id, id);
      assert.equal(comet.auth.clientId, 'ada');
    });

    test('a refused attach is told, and the connection goes on', async (t) => {
      const comet = await connect(t, server, more);
      assert.equal(await codeOf(comet.channels.get(':bad').attach()), 40010);
      await within(comet.channels.get('good').attach(), 'another channel');
      assert.ok(await within(comet.connection.ping(), 'a ping') >= 0);
    });

    test('a client comes back over a WebSocket', async (t) => {
      const comet = await connect(t, server, more);
      const { id, key } = comet.connection;
      const raw = await connectRaw(t, server, { resume: key });
      assert.equal((await raw.next(ACTION.connected)).connectionId, id);
    });
  });
}

test('a connection of a WebSocket goes on over HTTP', async (t) => {
  const first = await connectRaw(t, server);
  const { connectionId, connectionDetails } = await first.next(ACTION.connected);
  const recover = JSON.stringify({ connectionKey: connectionDetails.connectionKey, msgSerial: 0, channelSerials: {} });
  const heir = new Ably.Realtime(options(server, { transports: ['comet'], recover }));
  t.after(() => heir.close());
  await within(heir.connection.whenState('connected'), 'the connection');
  assert.equal(heir.connection.id, connectionId);
  await within(heir.channels.get('c').publish('n', 'd'), 'a publish');
});

suite('by hand', () => {
  const get = async (path, params = {}, init = {}) => {
    const query = new URLSearchParams({ key: server.key, v: '6', ...params });
    const headers = init.body && { 'content-type': 'application/json' };
    const response = await fetch(`${server.origin}/comet/${path}?${query}`, { headers, ...init });
    const text = await response.text();
    return { status: response.status, body: text && JSON.parse(text) };
  };
  const open = async () => {
    const { body: [connected] } = await get('connect', { stream: 'false' });
    return connected.connectionDetails.connectionKey;
  };

  test('a key of nobody’s has nothing to receive, and the client is sent to reconnect', async () => {
    for (const key of ['nonsense', 'abc!00000000000!AAAAAAAAAAAAAAAAAAAAAA']) {
      const { status, body } = await get(`${key}/recv`);
      assert.deepEqual([status, body.map(({ action, error }) => [action, error.code])], [410, [[6, 80003]]]);
      assert.equal((await get(`${key}/close`)).status, 204);
    }
  });

  test('every request needs credentials', async () => {
    const key = await open();
    for (const [path, init] of [['recv'], ['send', { method: 'POST', body: '[]' }], ['close']]) {
      assert.equal((await get(`${key}/${path}`, { key: '' }, init)).status, 401);
    }
  });

  test('a connectionKey is believed with the credentials of its client only', async (t) => {
    const settings = ['app.one:secret', 'app.two:secret', 'other.one:secret'].map((key) => `[[keys]]\nkey = "${key}"\n`).join('');
    const many = await startPalimpsest(t, { command: 'serve', args: ['--shards', '2'], settings });
    const token = async (key, clientId) => (await new Ably.Rest({ ...options(many), key }).auth.requestToken({ clientId })).token;
    const ask = async (path, params, init = {}) => {
      const headers = init.body && { 'content-type': 'application/json' };
      const response = await fetch(`${many.origin}/comet/${path}?${new URLSearchParams({ v: '6', ...params })}`, { headers, ...init });
      const text = await response.text();
      return { status: response.status, body: text && JSON.parse(text) };
    };
    const says = (...messages) => ({ method: 'POST', body: JSON.stringify(messages) });
    const mine = { access_token: await token('app.one:secret', 'ada') };
    const { body: [connected] } = await ask('connect', { stream: 'false', ...mine });
    const key = connected.connectionDetails.connectionKey;
    const strangers = {
      'another clientId': { access_token: await token('app.one:secret', 'eve') },
      'no clientId': { access_token: await token('app.one:secret') },
      'another key of the app': { access_token: await token('app.two:secret', 'ada') },
      'another key itself': { key: 'app.two:secret' },
      'a clientId beside the key': { key: 'app.one:secret', clientId: 'eve' },
      'another app': { access_token: await token('other.one:secret', 'ada') },
    };
    const heartbeat = says({ action: 0, id: 'x' });
    for (const [who, credentials] of Object.entries(strangers)) {
      for (const [what, init] of [['send', heartbeat], ['send', { method: 'POST', body: '{' }], ['recv'], ['close'], ['disconnect']]) {
        const { status, body } = await ask(`${key}/${what}`, credentials, init);
        assert.deepEqual([status, body.error?.code], [401, 40102], `${what} with ${who}`);
      }
    }
    // It is still there for its own client, also with the key itself, which may be any client.
    const waiting = ask(`${key}/recv`, mine);
    assert.equal((await ask(`${key}/send`, { key: 'app.one:secret' }, heartbeat)).status, 204);
    assert.deepEqual((await within(waiting, 'the heartbeat')).body, [{ action: 0, id: 'x' }]);
    // While it has no transport, and is kept for its client to come back, it is not another's to end.
    await ask(`${key}/disconnect`, mine);
    await ask(`${key}/recv`, mine);
    for (const credentials of Object.values(strangers)) assert.equal((await ask(`${key}/close`, credentials)).status, 204);
    const { body: [back] } = await ask('connect', { stream: 'false', resume: key, ...mine });
    assert.deepEqual([back.connectionId, back.error], [connected.connectionId, undefined]);
  });

  test('a token that is renewed is shown with the request that brings it', async () => {
    const key = await open();
    const { token } = await rest(server).auth.requestToken({ clientId: 'ada' });
    const send = (messages) => get(`${key}/send`, { key: '', access_token: token }, { method: 'POST', body: JSON.stringify(messages) });
    assert.equal((await send([{ action: 0 }])).status, 401);
    assert.equal((await send([{ action: 17, auth: { accessToken: token } }])).status, 204);
    assert.equal((await send([{ action: 0 }])).status, 204);
    assert.equal((await get(`${key}/close`, { key: '', access_token: token })).status, 204);
  });

  test('what cannot be read ends the connection, with the reason', async () => {
    const key = await open();
    for (const body of ['{', '{}', '[7]', '[{}]']) {
      const { status, body: { error } } = await get(`${key}/send`, {}, { method: 'POST', body });
      assert.deepEqual([status, error.code >= 40000 && error.code < 40100], [400, true], body);
    }
    const { body: told } = await get(`${key}/recv`);
    assert.deepEqual(told.map(({ action }) => action), [ACTION.error]);
    assert.equal((await get(`${key}/recv`)).status, 410);
  });

  test('who does not ask for what waits loses the transport, not the connection', async (t) => {
    const key = await open();
    await get(`${key}/send`, {}, { method: 'POST', body: '[{"action":10,"channel":"flood"}]' });
    const publisher = await connect(t, server);
    const flood = Array.from({ length: 600 }, () => publisher.channels.get('flood').publish('n', 'x'.repeat(60_000)));
    await within(Promise.all(flood), 'the flood', 60_000);
    const { status, body: [{ action }] } = await get(`${key}/recv`);
    assert.deepEqual([status, action], [410, 6]);
    const { body: [connected] } = await get('connect', { stream: 'false', resume: key });
    assert.deepEqual([connected.connectionId, connected.error], [key.split('!')[0], undefined]);
  });

  test('what was on its way to the transport before is not for the one that resumed', async () => {
    const before = await open();
    const { body: [connected] } = await get('connect', { stream: 'false', resume: before });
    const key = connected.connectionDetails.connectionKey;
    const waiting = get(`${key}/recv`);
    assert.equal((await get(`${before}/recv`)).status, 410);
    assert.equal((await get(`${before}/send`, {}, { method: 'POST', body: '[{"action":0,"id":"old"}]' })).status, 410);
    for (const goodbye of ['disconnect', 'close']) assert.equal((await get(`${before}/${goodbye}`)).status, 204);
    await get(`${key}/send`, {}, { method: 'POST', body: '[{"action":0,"id":"new"}]' });
    assert.deepEqual((await within(waiting, 'the heartbeat')).body, [{ action: 0, id: 'new' }]);
    await get(`${key}/close`);
  });

  test('a second request to receive takes over from the first', async () => {
    const key = await open();
    const first = get(`${key}/recv`);
    const second = get(`${key}/recv`);
    // Which of the two came first is up to the sockets.
    assert.deepEqual((await within(Promise.race([first, second]), 'one to end')).body, []);
    assert.equal((await get(`${key}/send`, {}, { method: 'POST', body: '[{"action":0,"id":"x"}]' })).status, 204);
    const bodies = (await within(Promise.all([first, second]), 'the answer')).map(({ body }) => JSON.stringify(body));
    assert.deepEqual(bodies.sort(), ['[]', '[{"action":0,"id":"x"}]']);
    await get(`${key}/close`);
  });
});
