// What no SDK sends. Whatever comes, the sender is told what was wrong, and everybody else goes on undisturbed.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, beforeEach, suite, test } from 'node:test';
import { codeOf, connect, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const { attach, attached, connected, error, message, nack } = ACTION;

// A bystander subscribes before each test, and hears somebody after it.
let bystander, heard;
const bystanding = [];
beforeEach(async () => {
  bystander = await connect({ after: (end) => bystanding.push(end) }, server);
  heard = await listen(bystander.channels.get('bystander'));
});
afterEach(async () => {
  await within(bystander.channels.get('bystander').publish('still', 'here'), 'the bystander’s ACK');
  await until(() => heard.length === 1, 'the bystander’s message');
  for (const end of bystanding.splice(0)) await end();
});

async function opened(t, query) {
  const client = await connectRaw(t, server, query);
  await client.next(connected);
  return client;
}

suite('frames', () => {
  const malformed = {
    'no JSON': '{"action":', 'an empty frame': '', 'an array': '[]', 'a string': '"hello"', 'null': 'null', 'a number': '15',
    'no action': '{}', 'an action of the wrong type': '{"action":"attach"}', 'a channel of the wrong type': '{"action":10,"channel":7}',
    'messages that are no list': '{"action":15,"channel":"c","msgSerial":0,"messages":{}}',
    'a message that is no object': '{"action":15,"channel":"c","msgSerial":0,"messages":[1]}',
    'deep nesting': '['.repeat(100_000), 'a key without end': `{"${'x'.repeat(200_000)}`,
    'bad UTF-8': Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'MessagePack in a JSON connection': Buffer.from([0x81, 0xa6, 1, 2]),
  };
  for (const [what, frame] of Object.entries(malformed)) {
    test(`${what} is answered with an error or the end of the connection`, async (t) => {
      const client = await opened(t);
      client.send(frame);
      const code = await until(
        () => client.frames.find((each) => [error, nack, 6].includes(each.action))?.error.code ?? client.socket.readyState === 3, 'an answer',
      );
      assert.ok(code === true || (code >= 40000 && code < 50000), String(code));
    });
  }

  test('MessagePack garbage is answered too', async (t) => {
    for (const bytes of [[0xc1], [0xdf, 0xff, 0xff, 0xff, 0xff], [0x81], [0xdd, 0xff, 0xff, 0xff, 0xff, 0x90], Array(5000).fill(0x91)]) {
      const client = await connectRaw(t, server, { format: 'msgpack' });
      await until(() => client.frames.length, 'CONNECTED');
      client.send(Buffer.from(bytes));
      await until(() => client.frames.length > 1 || client.socket.readyState === 3, 'an answer');
    }
  });

  test('an unknown action is refused', async (t) => {
    for (const action of [99, -1, 1e9]) {
      const client = await opened(t);
      client.send({ action });
      await until(() => client.frames.find((each) => each.action === error)?.error.code === 40000 || client.socket.readyState === 3, 'an answer');
    }
  });

  test('unknown fields are skipped (RSF1)', async (t) => {
    const client = await opened(t);
    client.send({ action: attach, channel: 'c', future: { deep: [1, 2, { x: null }] } });
    await client.next(attached);
  });

  test('a frame above the limit ends the connection', async (t) => {
    const client = await opened(t);
    client.send(`{"action":15,"channel":"${'x'.repeat(600_000)}"}`);
    assert.equal(await within(client.closed, 'the end'), 1009);
  });

  test('a message above the limit is refused with 40009, and the connection goes on', async (t) => {
    const client = await opened(t);
    client.send({ action: message, channel: 'c', msgSerial: 0, messages: [{ name: 'n', data: 'x'.repeat(66_000) }] });
    const refused = await client.next(nack);
    assert.deepEqual([refused.msgSerial, refused.count, refused.error.code], [0, 1, 40009]);
    client.send({ action: message, channel: 'c', msgSerial: 1, messages: [{ name: 'n', data: 'small' }] });
    assert.equal((await client.next(1)).msgSerial, 1);
  });

  test('a number as data is refused with 40013', async (t) => {
    const client = await opened(t);
    client.send({ action: message, channel: 'c', msgSerial: 0, messages: [{ name: 'n', data: 7 }] });
    const { error: why } = await until(() => client.frames.find(({ action }) => [nack, error].includes(action)), 'the refusal');
    assert.equal(why.code, 40013);
  });

  test('a message that claims another’s connection or client is refused', async (t) => {
    const client = await opened(t, { clientId: 'ada' });
    client.send({ action: message, channel: 'c', msgSerial: 0, messages: [{ name: 'n', clientId: 'eve' }] });
    assert.equal((await client.next(nack)).error.code, 40012);
  });
});

suite('one bad value is refused alone', () => {
  const deep = JSON.parse('['.repeat(200) + ']'.repeat(200));
  const values = { name: 7, id: {}, clientId: [], encoding: 5, data: true, extras: [], action: 'create', serial: 1, version: 'x', timestamp: 'now' };
  const messages = {
    ...Object.fromEntries(Object.entries(values).map(([field, value]) => [`${field}: ${JSON.stringify(value)}`, { messages: [{ data: 'd', [field]: value }] }])),
    'extras that are a text': { messages: [{ data: 'd', extras: 'x' }] }, 'a message that is none': { messages: [7] },
    'messages that are no list': { messages: {} }, 'a channel that is no text': { channel: 7, messages: [{ data: 'd' }] },
    'bad base64': { messages: [{ data: '*', encoding: 'base64' }] }, 'an action of the wrong type': { action: '15' },
    'an action that is unknown': { action: 99 }, 'no action': { action: undefined },
    'deep data': { messages: [{ data: deep }] }, 'deep extras': { messages: [{ data: 'd', extras: { deep } }] },
    'a deep field that is unknown': { messages: [{ data: 'd', future: deep }] }, 'deep messages': { messages: deep },
    'bad presence': { action: 14, presence: [{ action: 2, data: 3 }] }, 'a bad annotation': { action: 21, annotations: [{ type: 1 }] },
  };
  for (const [what, fields] of Object.entries(messages)) {
    test(`${what}: NACK`, async (t) => {
      const client = await opened(t);
      client.send({ action: message, channel: 'c', msgSerial: 0, ...fields });
      const refused = await client.next(nack);
      assert.deepEqual([refused.msgSerial, refused.count], [0, 1]);
      assert.ok(refused.error.code >= 40000 && refused.error.code < 40100, JSON.stringify(refused.error));
      client.send({ action: message, channel: 'c', msgSerial: 1, messages: [{ data: 'good' }] });
      assert.equal((await client.next(1)).msgSerial, 1);
    });
  }

  const attachments = { 'flags': { flags: 'x' }, 'params': { params: [] }, 'a param': { params: { rewind: deep } }, 'a serial': { channelSerial: 3 },
    'an action': { action: 'attach' }, 'a msgSerial': { action: message, msgSerial: '0', messages: [{ data: 'd' }] }, 'no msgSerial': { action: message, messages: [{ data: 'd' }] } };
  for (const [what, fields] of Object.entries(attachments)) {
    test(`${what} that is wrong: ERROR of the channel`, async (t) => {
      const client = await opened(t);
      client.send({ action: attach, channel: 'c', ...fields });
      const refused = await client.next(error);
      assert.equal(refused.channel, 'c');
      client.send({ action: attach, channel: 'd' });
      assert.equal((await client.next(attached)).channel, 'd');
    });
  }

  const half = '😀😀'.slice(0, 3), whole = '😀\ufffd';
  for (const useBinaryProtocol of [false, true]) {
    test(`half an emoji is taken as U+FFFD, in ${useBinaryProtocol ? 'MessagePack' : 'JSON'}`, async (t) => {
      const client = await connect(t, server, { useBinaryProtocol, clientId: 'ada' });
      const channel = client.channels.get('half');
      const got = await listen(channel), members = [];
      await channel.presence.subscribe((member) => members.push(member.data));
      await channel.publish({ name: half, data: half, extras: { headers: { [half]: half } } });
      await channel.publish('object', { text: half });
      await channel.presence.enter(half);
      await until(() => got.length === 2 && members.length, 'the messages and the member');
      assert.deepEqual([got[0].name, got[0].data, got[0].extras.headers, members[0]], [whole, whole, { [whole]: whole }, whole]);
      await client.channels.get(`half:${half}`).publish('n', 'd');
      await fetch(`${server.origin}/channels/half/messages`, {
        method: 'POST', body: JSON.stringify({ name: half, data: { half } }), headers: { authorization: `Basic ${btoa(server.key)}`, 'content-type': 'application/json' },
      });
      await until(() => got.length === 3, 'the message over REST');
      assert.deepEqual([got[2].name, got[2].data], [whole, { half: whole }]);
      assert.equal(client.connection.state, 'connected');
    });
  }

  test('half an emoji in a channel’s name is U+FFFD there too', async (t) => {
    const client = await opened(t);
    client.send({ action: attach, channel: half });
    assert.equal((await client.next(attached)).channel, whole);
  });
});

test('a publish with _forceNack is refused with 40099, over a connection and REST', async () => {
  const channel = bystander.channels.get('forced');
  assert.equal(await codeOf(channel.publish({ name: 'n' }, { _forceNack: true })), 40099);
  const post = (param) => fetch(`${server.origin}/channels/forced/messages?_forceNack=${param}`, {
    method: 'POST', body: '{"name":"n"}', headers: { authorization: `Basic ${btoa(server.key)}`, 'content-type': 'application/json' },
  });
  const refused = await post('true');
  assert.deepEqual([refused.status, (await refused.json()).error.code], [400, 40099]);
  assert.equal((await post('false')).status, 201);
});

test('channel names that cannot be are refused with 40010', async () => {
  for (const name of [':colon', 'x'.repeat(3000), 'new\nline', 'nul\u0000', '[unclosed', '[?rewind']) {
    assert.equal(await codeOf(bystander.channels.get(name).attach()), 40010, JSON.stringify(name.slice(0, 20)));
  }
});

test('names with odd characters are names like any other', async (t) => {
  const publisher = await connect(t, server);
  for (const name of ['a/b?c=d&e', '%2e%2e%2f', `'; DROP TABLE x`, 'ünï:漢字', '<script>', '.', '..', '*', 'foo:*']) {
    const messages = await listen(bystander.channels.get(name));
    await publisher.channels.get(name).publish('n', name);
    await until(() => messages.length, name);
    assert.equal(messages[0].data, name);
  }
});

test('more channels than a connection may have are refused, and those it has go on', async (t) => {
  const client = await connect(t, server);
  const attaching = Array.from({ length: 201 }, (_, i) => client.channels.get(`many:${i}`).attach().then(() => 0, ({ code }) => code));
  const codes = await within(Promise.all(attaching), 'every answer');
  assert.deepEqual(codes.filter(Boolean), [90010]);
});

suite('HTTP', () => {
  /** Sends bytes on a fresh TCP connection and gives all that comes back until the server closes it. */
  async function talk(bytes) {
    const socket = net.connect(server.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => (answer += text)).on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', () => resolve(answer)));
    socket.write(bytes);
    return within(closed, `the answer to ${JSON.stringify(bytes.slice(0, 40))}, after ${answer}`);
  }
  const status = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

  test('what is no HTTP is refused', async () => {
    for (const bytes of ['nonsense\r\n\r\n', 'GET\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n']) {
      const answer = await talk(bytes);
      assert.ok(answer === '' || status(answer) === 400, JSON.stringify([bytes, answer]));
    }
    assert.equal(status(await talk(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`)), 431);
    assert.equal(status(await talk('POST /channels/c/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n')), 413);
    const smuggled = 'POST /time HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n';
    assert.doesNotMatch(await talk(smuggled), /\r\n\r\nok/);
  });

  test('files outside the page’s folder are not served', async () => {
    for (const path of ['/../../etc/passwd', '/..%2f..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/_nuxt/../../api-key', '/%00', '/.made-of', '/..']) {
      const answer = await talk(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.ok([400, 404].includes(status(answer)) && !/root:|^chat\./m.test(answer), `${path}: ${answer.slice(0, 200)}`);
    }
  });

  test('REST bodies that cannot be understood are refused with 400', async () => {
    const publish = (body, type = 'application/json') => fetch(`${server.origin}/channels/c/messages`, {
      method: 'POST', body, headers: { authorization: `Basic ${btoa(server.key)}`, 'content-type': type },
    });
    for (const body of ['', '{', '[]', '7', 'null', '[[]]', '{"data":{"a":1}', '{"name":7}', `${'['.repeat(50_000)}`]) {
      const response = await publish(body);
      const { error: why } = await response.json();
      assert.equal(response.status, 400, body.slice(0, 20));
      assert.ok(why.code >= 40000 && why.code < 40100 && why.message, JSON.stringify(why));
    }
    for (const bytes of [[0xc1], [0x92, 0x80], [0xdd, 0xff, 0xff, 0xff, 0xff]]) {
      assert.equal((await publish(Buffer.from(bytes), 'application/x-msgpack')).status, 400);
    }
  });

  test('without credentials there is 401, and never a hint of the key', async () => {
    for (const path of ['/channels/c/messages', '/channels/c/history', '/channels/c/presence']) {
      const response = await fetch(server.origin + path);
      const text = await response.text();
      assert.equal(response.status, 401);
      assert.ok([40100, 40101].includes(JSON.parse(text).error.code), text);
      assert.ok(!text.includes(server.key.split(':')[1]));
    }
  });
});

test('the log has neither keys nor tokens nor payloads', async (t) => {
  const { token } = await bystander.auth.requestToken();
  const client = await connect(t, server, { token });
  await client.channels.get('bystander:log').publish('n', 'the payload itself');
  await fetch(`${server.origin}/channels/c/messages?key=${encodeURIComponent(server.key)}`);
  for (const secret of [server.key.split(':')[1], token, 'the payload itself']) assert.ok(!server.log().includes(secret));
});

test('what this server does not have is refused as such', async () => {
  for (const path of ['/push/deviceRegistrations', '/chat/v4/rooms/a/messages', '/channels/a/objects']) {
    const answer = await fetch(server.origin + path, { headers: { authorization: `Basic ${btoa(server.key)}` } });
    assert.deepEqual([answer.status, (await answer.json()).error.code], [400, 40021], path);
  }
});
