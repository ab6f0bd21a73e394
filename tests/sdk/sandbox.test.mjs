// `palimpsest sandbox`: apps that come and go, each by itself, as the SDKs' own suites make them.
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { codeOf, connect, connecting, formats, listen, rest } from '../support/clients.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { until, within } from '../support/until.mjs';

const sandbox = await startSandbox({ after });
const post = (body, headers = { 'content-type': 'application/json' }) => fetch(`${sandbox.origin}/apps`, { method: 'POST', headers, body });
const basic = (key) => ({ authorization: `Basic ${btoa(key)}` });

/** Data as a client with this cipher would send it: AES-128-CBC, its initialisation vector in front. */
const cipher = { algorithm: 'aes', mode: 'cbc', keyLength: 128, key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex') };
function encrypted(text) {
  const iv = Buffer.alloc(16, 7);
  const aes = createCipheriv('aes-128-cbc', cipher.key, iv);
  return Buffer.concat([iv, aes.update(text, 'utf8'), aes.final()]).toString('base64');
}
const fixtures = {
  name: 'persisted:presence_fixtures',
  presence: [
    { clientId: 'client_bool', data: 'true' },
    { clientId: 'client_json', data: '{ "test": "not decoded"}' },
    { clientId: 'client_decoded', data: '{"example":{"json":"Object"}}', encoding: 'json' },
    { clientId: 'client_encoded', data: encrypted('{"example":"secret"}'), encoding: 'json/utf-8/cipher+aes-128-cbc/base64' },
  ],
};
const members = { client_bool: 'true', client_json: '{ "test": "not decoded"}', client_decoded: { example: { json: 'Object' } }, client_encoded: { example: 'secret' } };

test('POST /apps answers with what was asked for, in that order', async () => {
  const response = await post(JSON.stringify({
    keys: [{}, { capability: '{ "can:*":["subscribe","publish"] }' }, { capability: { '[*]*': ['*'] } }, { revocableTokens: true }],
    namespaces: [{ id: 'persisted', persisted: true }, { id: 'mutable', mutableMessages: true }],
    channels: [fixtures],
    limits: { presence: { maxMembers: 250 } },
  }));
  const app = await response.json();
  assert.equal(response.status, 201);
  assert.deepEqual(app.keys.map(({ capability }) => JSON.parse(capability)),
    [{ '*': ['*'] }, { 'can:*': ['publish', 'subscribe'] }, { '[*]*': ['*'] }, { '*': ['*'] }]);
  for (const key of app.keys) {
    assert.equal(key.keyName, `${app.appId}.${key.id}`);
    assert.equal(key.keyStr, `${key.keyName}:${key.keySecret}`);
  }
  assert.deepEqual(app.keys.map(({ revocableTokens }) => revocableTokens), [false, false, false, true]);
  assert.deepEqual(app.namespaces.map(({ id, persisted, mutableMessages }) => [id, persisted, mutableMessages]),
    [['persisted', true, false], ['mutable', false, true]]);
  assert.deepEqual([app.endpoint, app.port, app.tls, app.channels.length], ['127.0.0.1', sandbox.port, false, 1]);
  assert.ok(app.accountId);
});

test('what is malformed is refused, and makes no app', async () => {
  for (const body of ['', 'no JSON', '{"keys":3}', '{"channels":[{"name":":"}]}']) {
    const response = await post(body);
    assert.equal(response.status, 400, body);
    assert.ok((await response.json()).error.code >= 40000);
  }
});

test('apps are apart: channels, keys and tokens', async (t) => {
  const [one, two] = [await sandbox.createApp(), await sandbox.createApp()];
  const [ann, bob] = [await connect(t, one, { clientId: 'ann' }), await connect(t, two, { clientId: 'bob' })];
  const [heardByAnn, heardByBob] = [await listen(ann.channels.get('room')), await listen(bob.channels.get('room'))];
  await bob.channels.get('room').presence.enter();
  await ann.channels.get('room').publish('n', 'from ann');
  await bob.channels.get('room').publish('n', 'from bob');
  await until(() => heardByAnn.length && heardByBob.length, 'both messages');
  assert.deepEqual([heardByAnn, heardByBob].map((all) => all.map(({ data }) => data)), [['from ann'], ['from bob']]);
  assert.deepEqual((await ann.channels.get('room').presence.get()).map(({ clientId }) => clientId), []);
  assert.deepEqual((await rest(one).channels.get('room').history()).items.map(({ data }) => data), ['from ann']);

  const token = await rest(one).auth.requestToken({ clientId: 'ann' });
  const stranger = rest(two, { key: `${two.keys[0].keyName}:${one.keys[0].keySecret}` });
  assert.equal(await codeOf(stranger.channels.get('room').history()), 40101);
  assert.equal(await codeOf(ann.auth.authorize(null, { key: two.key })), 40102);
  const guest = await connect(t, one, { tokenDetails: token });
  assert.equal(guest.auth.clientId, 'ann');
});

test('a nonce that was used in one app is as good as new in another', async () => {
  for (const app of [await sandbox.createApp(), await sandbox.createApp()]) {
    await rest(app).auth.requestToken({ nonce: '1234567890123456' });
    assert.equal(await codeOf(rest(app).auth.requestToken({ nonce: '1234567890123456' })), 40105);
  }
});

test('the clients of an app that is deleted fail, and nobody else', async (t) => {
  const [gone, other] = [await sandbox.createApp({ channels: [fixtures] }), await sandbox.createApp()];
  const client = await connect(t, gone), away = await connect(t, gone), neighbour = await connect(t, other);
  await client.channels.get('room').attach();
  away.connection.connectionManager.activeProtocol.getTransport().wsConnection.terminate();
  const failures = [client, away].map(({ connection }) => new Promise((resolve) => connection.on('failed', resolve)));
  assert.equal((await gone.remove()).status, 204);
  // Who is connected is told that the app is gone; who comes back names an app that nobody knows.
  for (const { reason } of await within(Promise.all(failures), 'the clients to fail')) assert.ok([40400, 40101].includes(reason.code), reason);
  const again = connecting(t, gone);
  assert.equal((await within(new Promise((resolve) => again.connection.on('failed', resolve)), 'a new one to fail')).reason.code, 40101);
  assert.equal(await codeOf(rest(gone).channels.get('room').history()), 40101);
  assert.equal((await gone.remove()).status, 404);
  assert.equal(neighbour.connection.state, 'connected');
});

test('DELETE takes a key of the app, or none', async () => {
  const [one, two] = [await sandbox.createApp(), await sandbox.createApp()];
  const remove = (headers) => fetch(`${sandbox.origin}/apps/${one.appId}`, { method: 'DELETE', headers }).then(({ status }) => status);
  assert.equal(await remove(basic(`${one.keys[0].keyName}:wrong`)), 401);
  assert.equal(await remove(basic(two.key)), 401);
  assert.equal(await remove(basic(one.key)), 204);
});

for (const format of formats) {
  suite(`presence fixtures, ${format.name}`, () => {
    test('are there over REST and realtime, decrypted by who has the cipher', async (t) => {
      const app = await sandbox.createApp({ channels: [fixtures] });
      const [http, client] = [rest(app, format), await connect(t, app, format)];
      const seen = (list) => Object.fromEntries(list.map(({ clientId, data }) => [clientId, data]));
      assert.deepEqual(seen((await http.channels.get(fixtures.name, { cipher }).presence.get()).items), members);
      const channel = client.channels.get(fixtures.name, { cipher });
      assert.deepEqual(seen(await channel.presence.get()), members);
      assert.deepEqual(seen((await http.channels.get(fixtures.name, { cipher }).presence.history()).items), members);
    });

    test('stay when everybody else has left', async (t) => {
      const app = await sandbox.createApp({ channels: [fixtures] });
      const client = await connect(t, app, { clientId: 'ann', ...format });
      const channel = client.channels.get(fixtures.name);
      await channel.presence.enter();
      assert.equal((await channel.presence.get()).length, 5);
      await channel.presence.leave();
      await channel.detach();
      assert.equal((await rest(app, format).channels.get(fixtures.name).presence.get()).items.length, 4);
    });
  });
}

test('a suite’s capabilities hold for its keys', async (t) => {
  const app = await sandbox.createApp({ keys: [{ capability: '{"channel0":["publish"],"channel3":["subscribe"]}' }] });
  const client = await connect(t, app);
  await client.channels.get('channel0').publish('n', 'd');
  assert.equal(await codeOf(client.channels.get('channel3').publish('n', 'd')), 40160);
});
