// Tokens that are taken back before they expire (RSA17), and tokens inside other tokens.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { codeOf, connect, connecting, formats, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { startSandbox } from '../support/sandbox.mjs';
import { until, within } from '../support/until.mjs';

const sandbox = await startSandbox({ after });
const app = await sandbox.createApp({ keys: [{ revocableTokens: true }, { revocableTokens: true }, {}] });
const [revocable, other, lasting] = app.keys.map(({ keyStr }) => ({ ...app, key: keyStr }));
const base64url = (value) => Buffer.from(value).toString('base64url');
let names = 0;
const somebody = () => `client-${names++}`;

function jwt(claims, { key = revocable.key, header = {}, secret = key.slice(key.indexOf(':') + 1) } = {}) {
  const now = Date.now() / 1000;
  const head = base64url(JSON.stringify({ typ: 'JWT', alg: 'HS256', kid: key.split(':')[0], ...header }));
  const body = base64url(JSON.stringify({ iat: now, exp: now + 3600, ...claims }));
  return `${head}.${body}.${createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url')}`;
}
const disconnected = (client) => within(new Promise((resolve) => client.connection.once('disconnected', resolve)), 'the disconnection');

for (const format of formats) {
  suite(format.name, () => {
    const http = rest(revocable, format);

    test('RSA17c says what became of each target, and disconnects those concerned', async (t) => {
      const [ann, bob, carl] = [somebody(), somebody(), somebody()];
      const clients = [];
      for (const clientId of [ann, bob, carl]) {
        clients.push(await connect(t, app, { token: (await http.auth.requestToken({ clientId })).token, ...format }));
      }
      const left = clients.slice(0, 2).map(disconnected);
      const before = await http.time();
      const result = await http.auth.revokeTokens([
        { type: 'clientId', value: ann }, { type: 'clientId', value: bob }, { type: 'invalidType', value: 'abc' },
      ]);
      assert.deepEqual([result.successCount, result.failureCount], [2, 1]);
      assert.deepEqual(result.results.map(({ target }) => target), [`clientId:${ann}`, `clientId:${bob}`, 'invalidType:abc']);
      for (const each of result.results.slice(0, 2)) {
        assert.ok(each.issuedBefore >= before && each.appliesAt >= before && !('error' in each));
      }
      assert.equal(result.results[2].error.statusCode, 400);
      for (const change of await Promise.all(left)) assert.equal(change.reason.code, 40141);
      assert.equal(clients[2].connection.state, 'connected');
    });

    test('a revoked token is refused by REST and realtime, a new one is not', async (t) => {
      const clientId = somebody();
      const { token } = await http.auth.requestToken({ clientId });
      await rest(app, { token, ...format }).channels.get('room').history();
      await http.auth.revokeTokens([{ type: 'clientId', value: clientId }]);
      const refused = await fetch(`${app.origin}/channels/room/messages?access_token=${token}`);
      assert.deepEqual([refused.status, (await refused.json()).error.code], [401, 40141]);
      const again = connecting(t, app, { token, ...format });
      assert.equal((await within(new Promise((resolve) => again.connection.once('failed', resolve)), 'the refusal')).reason.code, 40171);
      await connect(t, app, { token: (await http.auth.requestToken({ clientId })).token, ...format });
    });

    test('a client that can renew its token comes back by itself, to the same connection', async (t) => {
      const clientId = somebody();
      const authCallback = (_, done) => done(null, jwt({ 'x-ably-clientId': clientId }));
      const client = await connect(t, app, { authCallback, ...format });
      const { id } = client.connection;
      const left = disconnected(client);
      await http.auth.revokeTokens([{ type: 'clientId', value: clientId }]);
      assert.equal((await left).reason.code, 40141);
      await within(client.connection.whenState('connected'), 'the connection again');
      assert.equal(client.connection.id, id);
    });

    test('RSA17f with a margin the token is renewed in place', async (t) => {
      const clientId = somebody();
      let asked = 0;
      const authCallback = (_, done) => done(null, jwt({ 'x-ably-clientId': clientId, n: ++asked }));
      const client = await connect(t, app, { authCallback, ...format });
      client.connection.on('disconnected', ({ reason }) => assert.fail(`disconnected: ${reason}`));
      const start = await http.time();
      const { results } = await http.auth.revokeTokens([{ type: 'clientId', value: clientId }], { allowReauthMargin: true });
      assert.ok(results[0].appliesAt >= start + 30_000, String(results[0].appliesAt - start));
      await until(() => asked === 2, 'a second token');
      await client.channels.get('room').publish('still', 'here');
    });

    test('RSA17e tokens issued since a time stay good', async (t) => {
      const clientId = somebody();
      const client = await connect(t, app, { token: jwt({ 'x-ably-clientId': clientId }), ...format });
      const issuedBefore = (await http.time()) - 20 * 60 * 1000;
      const { results } = await http.auth.revokeTokens([{ type: 'clientId', value: clientId }], { issuedBefore });
      assert.equal(results[0].issuedBefore, issuedBefore);
      await client.channels.get('room').publish('still', 'here');
      assert.equal(client.connection.state, 'connected');
      const now = await http.time();
      for (const wrong of [now + 60_000, now - 61 * 60 * 1000]) {
        assert.equal(await codeOf(http.auth.revokeTokens([{ type: 'clientId', value: clientId }], { issuedBefore: wrong })), 40003);
      }
    });

    test('by revocation key, and by a resource of the capability', async (t) => {
      const group = somebody();
      const one = await connect(t, app, { token: jwt({ 'x-ably-revocation-key': group }), ...format });
      const two = await connect(t, app, { token: jwt({ 'x-ably-capability': `{"${group}:*":["subscribe"]}` }), ...format });
      const three = await connect(t, app, { token: jwt({ 'x-ably-clientId': group }), ...format });
      const left = [one, two].map(disconnected);
      await http.auth.revokeTokens([{ type: 'revocationKey', value: group }, { type: 'channel', value: `${group}:*` }]);
      for (const change of await Promise.all(left)) assert.equal(change.reason.code, 40141);
      assert.equal(three.connection.state, 'connected');
    });

    test('RSA17d only who has the key revokes, its own tokens, if they are revocable', async () => {
      const targets = [{ type: 'clientId', value: 'x' }];
      const body = JSON.stringify({ targets: ['clientId:x'] });
      const post = async (key, name, authorization) => {
        const response = await fetch(`${app.origin}/keys/${name}/revokeTokens`, {
          method: 'POST', headers: { 'content-type': 'application/json', authorization }, body,
        });
        return [response.status, (await response.json()).error?.code];
      };
      const name = revocable.key.split(':')[0];
      const { token } = await http.auth.requestToken();
      assert.deepEqual(await post(revocable.key, name, `Bearer ${btoa(token)}`), [401, 40162]);
      assert.deepEqual(await post(other.key, name, `Basic ${btoa(other.key)}`), [401, 40101]);
      assert.equal(await codeOf(rest(lasting, format).auth.revokeTokens(targets)), 40164);
      assert.equal(await codeOf(http.auth.revokeTokens([])), 40003);
    });

    test('a revocable token lives an hour at most', async (t) => {
      assert.equal(await codeOf(http.auth.requestToken({ ttl: 3_600_001 })), 40003);
      const client = connecting(t, app, { token: jwt({ exp: Date.now() / 1000 + 3700 }), ...format });
      assert.equal((await within(new Promise((resolve) => client.connection.once('failed', resolve)), 'the refusal')).reason.code, 40003);
    });

    test('a token embedded in somebody else’s JWT counts as it is', async (t) => {
      const clientId = somebody();
      const inner = (await http.auth.requestToken({ clientId })).token;
      const exp = Date.now() / 1000 + 60;
      const theirs = { key: 'their-key:their-secret' };
      for (const token of [jwt({ exp, 'x-ably-token': inner }, theirs), jwt({ exp }, { ...theirs, header: { 'x-ably-token': inner } })]) {
        const client = await connect(t, app, { token, ...format });
        assert.equal(client.auth.clientId, clientId);
        assert.deepEqual((await rest(app, { token, ...format }).channels.get('quiet').history()).items, []);
      }
    });
  });
}

test('revocations survive a restart', async (t) => {
  const settings = '[[keys]]\nkey = "app.key:secret"\nrevocable = true\n';
  const server = await startPalimpsest(t, { command: 'serve', settings });
  server.key = 'app.key:secret';
  const { token } = await rest(server).auth.requestToken({ clientId: 'ann' });
  const status = () => server.status(`/channels/room/messages?access_token=${token}`);
  assert.equal(await status(), 200);
  await rest(server).auth.revokeTokens([{ type: 'clientId', value: 'ann' }]);
  assert.equal(await status(), 401);
  await server.kill9();
  await server.start();
  assert.equal(await status(), 401);
});
