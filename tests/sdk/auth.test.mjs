// Who may connect, as whom, and what they may do: keys, tokens, JWTs, capabilities, and /auth for browsers.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { codeOf, connect, connecting, formats, listen, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const keyName = () => server.key.split(':')[0];
const base64url = (value) => Buffer.from(value).toString('base64url');

/** A JWT as anybody's own server would sign it. */
function jwt(claims, { secret = server.key.slice(server.key.indexOf(':') + 1), header = {} } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const head = base64url(JSON.stringify({ typ: 'JWT', alg: 'HS256', kid: keyName(), ...header }));
  const body = base64url(JSON.stringify({ iat: now, exp: now + 3600, ...claims }));
  return `${head}.${body}.${createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url')}`;
}

const DISCONNECTED = 6, AUTH = 17;
const rawWebSocket = (t, token) => connectRaw(t, server, { key: undefined, access_token: token });

/** A comet connection that streams: its frames, as they come. */
async function rawComet(t, token) {
  const frames = [], ended = new AbortController();
  t.after(() => ended.abort());
  const response = await fetch(`${server.origin}/comet/connect?v=6&access_token=${token}`, { signal: ended.signal });
  (async () => {
    let text = '';
    for await (const bytes of response.body) {
      text += Buffer.from(bytes);
      for (let end; (end = text.indexOf('\n')) >= 0; text = text.slice(end + 1)) frames.push(...JSON.parse(text.slice(0, end)));
    }
  })().catch(() => {});
  return { frames };
}

/** The code a connection fails or is turned away with. */
async function refusal(t, credentials) {
  const client = connecting(t, server, credentials);
  const { reason } = await within(
    new Promise((resolve) => client.connection.on(['failed', 'disconnected'], resolve)), 'the connection to be refused',
  );
  return reason.code;
}

for (const format of formats) {
  suite(format.name, () => {
    test('a JWT says who one is and what one may do', async (t) => {
      const token = jwt({ 'x-ably-clientId': 'ada', 'x-ably-capability': '{"open:*":["subscribe","publish"],"read":["subscribe"]}' });
      const client = await connect(t, server, { token, ...format });
      assert.equal(client.auth.clientId, 'ada');
      const heard = await listen(client.channels.get('open:1'));
      await client.channels.get('open:1').publish('hello', 'world');
      await until(() => heard.length, 'the message');
      assert.equal(heard[0].clientId, 'ada');
      assert.equal(await codeOf(client.channels.get('closed').attach()), 40160);
      assert.equal(await codeOf(client.channels.get('read').publish('no', 'no')), 40160);
      assert.equal(await codeOf(client.channels.get('open:1').presence.enter()), 40160);
    });

    test('a token request is exchanged for a token, narrowed to what the key grants and the request asks', async (t) => {
      const capability = { room: ['publish', 'subscribe'] };
      const details = await rest(server, format).auth.requestToken({ clientId: 'ada', capability: JSON.stringify(capability), ttl: 60_000 });
      assert.deepEqual(JSON.parse(details.capability), capability);
      assert.deepEqual([details.clientId, details.expires - details.issued], ['ada', 60_000]);
      const client = await connect(t, server, { tokenDetails: details, ...format });
      assert.equal(client.auth.clientId, 'ada');
      assert.equal(await codeOf(client.channels.get('elsewhere').attach()), 40160);
    });

    test('a signed request can be used by somebody without the key, once', async (t) => {
      const request = await rest(server, format).auth.createTokenRequest({ clientId: 'ada' });
      const client = await connect(t, server, { authCallback: (_, done) => done(null, request), ...format });
      assert.equal(client.auth.clientId, 'ada');
      const again = connecting(t, server, { authCallback: (_, done) => done(null, request), ...format });
      const { reason } = await within(new Promise((resolve) => again.connection.on(['failed', 'disconnected'], resolve)), 'the refusal');
      assert.ok([40105, 80019].includes(reason.code), String(reason));
    });

    test('authorize() renews a connection in place, with what the new token grants', async (t) => {
      let capability = '{"a":["subscribe"]}';
      const authCallback = (_, done) => done(null, jwt({ 'x-ably-clientId': 'ada', 'x-ably-capability': capability }));
      const client = await connect(t, server, { authCallback, ...format });
      const { id } = client.connection;
      assert.equal(await codeOf(client.channels.get('b').attach()), 40160);
      capability = '{"a":["subscribe"],"b":["subscribe"]}';
      await within(client.auth.authorize(), 'authorize()');
      await within(client.channels.get('b').attach(), 'the attachment');
      assert.equal(client.connection.id, id);
    });
  });
}

test('a token that expires while connected is renewed without losing the connection', async (t) => {
  const expiring = () => ({ 'x-ably-clientId': 'ada', exp: Math.floor(Date.now() / 1000) + 2 });
  let asked = 0;
  const authCallback = (_, done) => done(null, jwt(asked++ ? { 'x-ably-clientId': 'ada' } : expiring()));
  const client = await connect(t, server, { authCallback });
  const heard = await listen(client.channels.get('renewed'));
  await until(() => asked >= 2 && client.connection.state === 'connected', 'a second token');
  const other = await connect(t, server);
  await other.channels.get('renewed').publish('still', 'here');
  await until(() => heard.length, 'the message');
});

test('a wrong key, secret or token is refused with Ably’s codes', async (t) => {
  assert.equal(await refusal(t, { key: `${keyName()}:wrong` }), 40101);
  for (const key of ['no.such:key', 'this.is:wrong', 'invalid.key:secret']) assert.equal(await refusal(t, { key }), 40101, key);
  assert.equal(await refusal(t, { key: `${keyName().split('.')[0]}.other:secret` }), 40400);
  assert.equal(await refusal(t, { token: 'nonsense' }), 40144);
  assert.equal(await refusal(t, { token: jwt({}, { secret: 'guessed' }) }), 40144);
  assert.equal(await refusal(t, { token: jwt({}, { header: { alg: 'none' } }) }), 40144);
  assert.equal(await refusal(t, { token: jwt({}, { header: { kid: 'no.such' } }) }), 40400);
  assert.equal(await refusal(t, { token: jwt({ exp: 1 }) }), 40142);
  assert.equal(await refusal(t, { token: jwt({ 'x-ably-capability': 'no JSON' }) }), 40000);
  const unsigned = `${base64url('{"alg":"none","kid":"' + keyName() + '"}')}.${base64url('{"exp":9999999999}')}.`;
  assert.equal(await refusal(t, { token: unsigned }), 40144);
});

test('what is wrong with a key is 401 over REST too, and a token of an unknown app is 404', async () => {
  const answer = async (authorization) => {
    const response = await fetch(`${server.origin}/channels/c/messages`, { headers: { authorization } });
    const { error } = await response.json();
    return [response.status, error.statusCode, error.code];
  };
  const basic = (key) => answer(`Basic ${btoa(key)}`);
  for (const key of ['this.is:wrong', 'invalid.key:secret', `${keyName()}:wrong`]) assert.deepEqual(await basic(key), [401, 401, 40101], key);
  assert.deepEqual(await basic(`${keyName().split('.')[0]}.other:secret`), [401, 401, 40400]);
  assert.deepEqual(await answer(`Bearer ${jwt({}, { header: { kid: 'no.such' } })}`), [404, 404, 40400]);
});

test('a token that lives longer than a day is refused with 40003', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal(await refusal(t, { token: jwt({ exp: now + 86_401 }) }), 40003);
  assert.equal(await refusal(t, { token: jwt({ iat: undefined, exp: now + 90_000 }) }), 40003);
  await connect(t, server, { token: jwt({ iat: now, exp: now + 86_400 }) });
});

for (const [way, open] of Object.entries({ 'a WebSocket': rawWebSocket, comet: rawComet })) {
  test(`a short token is used until it expires, and then the client is told 40142, over ${way}`, async (t) => {
    const expires = Math.floor(Date.now() / 1000) + 3;
    const token = jwt({ 'x-ably-clientId': 'ada', exp: expires });
    const client = await open(t, token);
    const gone = await until(() => client.frames.find(({ action }) => action === DISCONNECTED), 'DISCONNECTED');
    const late = Date.now() - expires * 1000;
    assert.deepEqual([gone.error.code, gone.error.statusCode], [40142, 401]);
    assert.ok(late >= -50 && late < 1500, `${late} ms after the token's expiry`);
    assert.ok(!client.frames.some(({ action }) => action === AUTH), 'it was not asked for another');
  });
}

for (const format of formats) {
  test(`a JWT’s claims about a channel are read by everybody in extras.userClaim, in ${format.name}`, async (t) => {
    const claims = { 'ably.channel.claims:*': 'member', 'ably.channel.claims:mods': 'moderator' };
    const moderator = await connect(t, server, { token: jwt({ 'x-ably-clientId': 'ada', ...claims }), ...format });
    const forger = await connect(t, server, { token: jwt({ 'x-ably-clientId': 'eve' }), ...format });
    const watcher = await connect(t, server, format);
    const channel = watcher.channels.get('claims:mods'), messages = await listen(channel), members = [];
    await channel.presence.subscribe(({ clientId, extras }) => members.push([clientId, extras?.userClaim]));
    for (const client of [moderator, forger]) {
      await client.channels.get('claims:mods').publish({ name: 'n', extras: { userClaim: 'root', headers: { a: 1 } } });
      await client.channels.get('claims:mods').presence.enter();
    }
    await until(() => messages.length === 2 && members.length === 2, 'the messages and members');
    assert.deepEqual(messages.map(({ extras }) => [extras.userClaim, extras.headers.a]), [['moderator', 1], [undefined, 1]]);
    assert.deepEqual(members, [['ada', 'moderator'], ['eve', undefined]]);
    const post = await fetch(`${server.origin}/channels/claims:7/messages?access_token=${jwt(claims)}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"n","extras":{"userClaim":"root"}}',
    });
    assert.equal(post.status, 201);
    const { items: [kept] } = await watcher.channels.get('claims:7').history();
    assert.equal(kept.extras.userClaim, 'member');
  });
}

test('a JWT’s publish limit is kept to', async (t) => {
  const client = await connect(t, server, { token: jwt({ 'x-ably-clientId': 'ada', 'ably.limits.publish.perAttachment.maxRate.slow': 0.1 }) });
  const codes = [];
  for (const name of ['slow', 'slow', 'fast', 'fast']) codes.push(await codeOf(client.channels.get(name).publish('n', 'd')).catch(() => 0));
  assert.deepEqual(codes.map(Boolean), [false, true, false, false], String(codes));
  assert.equal(codes[1], 42911);
});

test('a token for one client does not let one be another', async (t) => {
  const token = jwt({ 'x-ably-clientId': 'ada' });
  const publish = async (query) => {
    const response = await fetch(`${server.origin}/channels/c/messages?access_token=${encodeURIComponent(token)}${query}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'n', data: 'd', clientId: 'eve' }),
    });
    return [response.status, (await response.json()).error.code];
  };
  assert.deepEqual(await publish(''), [400, 40012]);
  assert.deepEqual(await publish('&clientId=eve'), [401, 40102]);
  const client = await connect(t, server, { token });
  assert.equal(await codeOf(client.channels.get('c').publish({ name: 'n', data: 'd', clientId: 'eve' })), 40012);
});

test('a capability is not escaped by clever channel names', async (t) => {
  const token = jwt({ 'x-ably-clientId': 'ada', 'x-ably-capability': '{"chat:*":["subscribe"],"exact":["subscribe"]}' });
  const client = await connect(t, server, { token });
  for (const name of ['chat', 'chatter:1', 'Chat:1', ' chat:1', 'exact:1', 'exact ', '[?rewind=1]secret', '[?x=chat:*]secret', 'secret?chat:', '*']) {
    assert.equal(await codeOf(client.channels.get(name).attach()), 40160, name);
  }
  for (const name of ['chat:1', 'chat:a:b', 'exact', '[?rewind=1]chat:2']) await within(client.channels.get(name).attach(), name);
});

test('[meta] and [*] are said by name: * is every ordinary channel and no metachannel', async (t) => {
  const may = async (resource) => connect(t, server, { token: jwt({ 'x-ably-capability': JSON.stringify({ [resource]: ['subscribe'] }) }) });
  const [ordinary, narrowed] = [await may('*'), await may('[*]*')];
  for (const client of [ordinary, narrowed]) {  // the key has {"*":["*"]}: what goes beyond it is not granted
    await within(client.channels.get('any:channel').attach(), 'an ordinary channel');
    assert.equal(await codeOf(client.channels.get('[meta]log').attach()), 40160);
  }
  const token = jwt({ 'x-ably-capability': '{"[meta]*":["subscribe"]}' });
  const response = await fetch(`${server.origin}/channels/any/messages?access_token=${encodeURIComponent(token)}`);
  assert.deepEqual([response.status, (await response.json()).error.code], [401, 40160]);
});

suite('GET /auth', () => {
  test('gives a browser a token request for a client id that stays its own', async (t) => {
    const first = await fetch(`${server.origin}/auth`);
    const cookie = first.headers.get('set-cookie');
    assert.match(cookie, /HttpOnly/i);
    assert.match(cookie, /SameSite=/i);
    const request = await first.json();
    assert.ok(request.clientId && request.mac && request.nonce, JSON.stringify(request));
    const again = await (await fetch(`${server.origin}/auth`, { headers: { cookie: cookie.split(';')[0] } })).json();
    assert.equal(again.clientId, request.clientId);
    assert.notEqual((await server.getJson('/auth')).clientId, request.clientId);
    const client = await connect(t, server, { authCallback: (_, done) => done(null, again) });
    assert.equal(client.auth.clientId, request.clientId);
  });

  test('a cookie that was tampered with is somebody new', async () => {
    const first = await fetch(`${server.origin}/auth`);
    const { clientId } = await first.json();
    const cookie = first.headers.get('set-cookie').split(';')[0];
    const forged = cookie.slice(0, -2) + (cookie.endsWith('AA') ? 'BB' : 'AA');
    assert.notEqual((await server.getJson('/auth', { headers: { cookie: forged } })).clientId, clientId);
  });

  test('grants the chat and nothing else', async (t) => {
    const client = await connect(t, server, { authUrl: `${server.origin}/auth` });
    const { clientId } = client.auth;
    for (const name of ['incoming-chat', 'outgoing-chat', `chat-errors:${clientId}`]) await within(client.channels.get(name).attach(), name);
    for (const name of ['chat-errors:somebody-else', 'anything', '[meta]log']) assert.equal(await codeOf(client.channels.get(name).attach()), 40160, name);
    for (const name of ['incoming-chat', `chat-errors:${clientId}`]) {
      assert.equal(await codeOf(client.channels.get(name).publish('forged', '{}')), 40160, name);
    }
  });
});
