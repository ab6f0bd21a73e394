// HTTP by hand: what clients, proxies and attackers write that no SDK does.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, suite, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { freePort } from '../support/process.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { within } from '../support/until.mjs';

const metricsPort = await freePort();
const settings = `cors_origins = ["https://friend.example"]\n[server]\nhosts = ["chat.example.org"]\nmetrics_listen = "127.0.0.1:${metricsPort}"\n`;
const server = await startPalimpsest({ after }, { command: 'serve', settings });
const authorization = `Basic ${btoa(server.key)}`;
const messages = '/channels/c/messages';
const friend = 'https://friend.example', stranger = 'https://stranger.example';

/** All that comes back, until the server closes it, on a connection where these bytes are written. */
async function exchange(bytes, port = server.port) {
  const socket = net.connect(port, '127.0.0.1');
  const answer = [];
  const end = new Promise((resolve) => socket.on('data', (piece) => answer.push(piece)).on('error', () => {}).once('close', resolve));
  socket.write(bytes);
  await within(end, `the answer to ${String(bytes).slice(0, 60)}`);
  return Buffer.concat(answer);
}

/** {status, headers, body} of one request with these header lines. */
async function ask(line, headers = [], body = '', { port, host = ['Host: localhost'] } = {}) {
  const head = [line, ...host, 'Connection: close', ...headers, ...(body.length ? [`Content-Length: ${body.length}`] : []), '', ''].join('\r\n');
  const bytes = await exchange(Buffer.concat([Buffer.from(head), Buffer.from(body)]), port);
  const split = bytes.indexOf('\r\n\r\n');
  const [status, ...fields] = bytes.subarray(0, split).toString('latin1').split('\r\n');
  return {
    status: Number(status.split(' ')[1]),
    headers: new Headers(fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()])),
    body: bytes.subarray(split + 4),
  };
}
const get = (path, ...headers) => ask(`GET ${path} HTTP/1.1`, headers);
const publish = (headers, body = '{"name":"n","data":"d"}') => ask(`POST ${messages} HTTP/1.1`, [`Authorization: ${authorization}`, ...headers], body);
const code = ({ body }) => JSON.parse(body).error.code;

suite('what has no end', () => {
  const chunked = 'POST /time HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';

  for (const [what, start, piece] of [
    ['a chunk extension', `${chunked}1;`, 'x'.repeat(64 << 10)],
    ['a trailer', `${chunked}0\r\nX: `, 'x'.repeat(64 << 10)],
    ['trailers', `${chunked}0\r\n`, 'a: b\r\n'.repeat(10_000)],
    ['chunks with extensions', chunked, '1;xxxxxxxx\r\na\r\n'.repeat(4_000)],
    ['a header', 'GET / HTTP/1.1\r\nX: ', 'x'.repeat(64 << 10)],
  ]) {
    test(`${what} is refused at its bound, and not when time is up`, async () => {
      assert.match((await exchange(start + piece)).toString('latin1'), /^HTTP\/1\.1 431 [^]*Header limit reached \(16384 bytes\)/);
    });
  }

  test('requests behind one that waits are not read beyond their bound', async (t) => {
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    socket.resume();
    socket.write(`GET /sse?channels=c&key=${encodeURIComponent(server.key)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await within(new Promise((resolve) => socket.once('data', resolve)), 'the stream');
    const filler = Buffer.from('GET /time HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
    let taken = 0;
    const stuck = new Promise((resolve) => {
      const push = () => {
        const timer = setTimeout(resolve, 1_000);
        socket.write(filler, () => {
          clearTimeout(timer);
          taken += filler.length;
          if (taken < 64 << 20) push();
          else resolve();
        });
      };
      push();
    });
    await stuck;
    assert.ok(taken < 32 << 20, `${taken} bytes were taken`);  // nearly all of that is in the kernel
  });
});

suite('a request', () => {
  test('may name its host in its target, and has one in HTTP/1.1', async () => {
    for (const target of ['http://host/time', 'HTTP://host:80/time?x=1']) assert.equal((await get(target)).status, 200);
    assert.equal((await ask('GET /time HTTP/1.1', [], '', { host: [] })).status, 400);
    assert.equal((await ask('GET /time HTTP/1.1', [], '', { host: ['Host: a', 'Host: b'] })).status, 400);
    assert.equal((await ask('GET /time HTTP/1.0', [], '', { host: [] })).status, 200);
  });

  test('may end in a slash', async () => {
    assert.equal((await get('/time/')).status, 200);
    assert.equal((await publish([])).status, 201);
    assert.equal((await ask(`GET ${messages}/ HTTP/1.1`, [`Authorization: ${authorization}`])).status, 200);
  });

  test('of HTTP/1.0 is not chunked', async () => {
    const bytes = await exchange('POST /time HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n');
    assert.match(bytes.toString(), /^HTTP\/1\.1 400 [^]*HTTP\/1\.0 has no Transfer-Encoding/);
    assert.doesNotMatch(bytes.toString(), /\r\n\r\nok/);
  });

  test('says who it is from by a scheme in any case, and blanks behind it', async () => {
    for (const scheme of ['basic ', 'BASIC  ', 'Basic\t']) assert.equal((await get(messages, `Authorization: ${scheme}${btoa(server.key)}`)).status, 200, scheme);
    const { keyName } = { keyName: server.key.split(':')[0] };
    const issued = await ask(`POST /keys/${keyName}/requestToken HTTP/1.1`, [`Authorization: ${authorization}`, 'Content-Type: application/json'],
      JSON.stringify({ keyName, timestamp: Date.now() }));
    const { token } = JSON.parse(issued.body);
    for (const scheme of ['bearer ', 'BEARER   ']) assert.equal((await get(messages, `Authorization: ${scheme}${btoa(token)}`)).status, 200, scheme);
  });

  test('says what its body is in any case', async () => {
    for (const type of ['Application/JSON', 'application/json ; charset=UTF-8', 'APPLICATION/JSON;charset=utf-8']) {
      assert.equal((await publish([`Content-Type: ${type}`])).status, 201, type);
    }
    assert.equal((await publish(['Content-Type: text/json'])).status, 415);
  });

  test('may have a gzipped body, which is no larger than others', async () => {
    const gzipped = (body, coding = 'gzip') => publish(['Content-Type: application/json', `Content-Encoding: ${coding}`], body);
    assert.equal((await gzipped(gzipSync('{"name":"zipped","data":"d"}'))).status, 201);
    assert.equal(code(await gzipped(gzipSync(Buffer.alloc(64 << 20, ' ')))), 41300);
    assert.equal((await gzipped('{"name":"n"}')).status, 400);
    assert.equal((await gzipped('{"name":"n"}', 'br')).status, 415);
    const { body } = await get(`${messages}?limit=1`, `Authorization: ${authorization}`);
    assert.equal(JSON.parse(body)[0].name, 'zipped');
  });

  test('says what it takes by weight', async () => {
    const type = async (accept) => (await get('/time', `Accept: ${accept}`)).headers.get('content-type');
    for (const accept of ['application/x-msgpack', 'application/json;q=0.5, application/x-msgpack', 'application/x-msgpack, */*']) {
      assert.equal(await type(accept), 'application/x-msgpack', accept);
    }
    for (const accept of ['*/*', 'application/x-msgpack;q=0.5, application/json', 'application/json, application/x-msgpack;q=0.9', 'application/x-msgpack;q=0']) {
      assert.equal(await type(accept), 'application/json', accept);
    }
  });

  test('that came over TLS to the first proxy gets a Secure cookie', async () => {
    for (const [proto, secure] of [['https', true], ['HTTPS', true], ['https, http', true], [' Https ,http', true], ['http, https', false], ['', false]]) {
      const { headers } = await get('/auth', `X-Forwarded-Proto: ${proto}`);
      assert.equal(/; Secure/.test(headers.get('set-cookie')), secure, proto);
    }
  });
});

suite('an upgrade', () => {
  const upgrade = (changed = {}, line = 'GET /?v=6 HTTP/1.1') => ask(line, Object.entries({
    Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...changed,
  }).filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`).concat('Connection: upgrade'));

  test('that is none says why', async () => {
    const old = await upgrade({ 'Sec-WebSocket-Version': '8' });
    assert.deepEqual([old.status, old.headers.get('sec-websocket-version'), code(old)], [426, '13', 40000]);
    assert.equal((await upgrade({ 'Sec-WebSocket-Version': '' })).status, 426);
    for (const key of ['', 'short', 'not base64 at all!!!!==']) {
      const refused = await upgrade({ 'Sec-WebSocket-Key': key });
      assert.deepEqual([refused.status, code(refused)], [400, 40000], key);
    }
    const posted = await upgrade({}, 'POST / HTTP/1.1');
    assert.deepEqual([posted.status, posted.headers.get('allow'), code(posted)], [405, 'GET', 40500]);
  });

  test('is not one in HTTP/1.0', async () => assert.equal((await upgrade({}, 'GET /time HTTP/1.0')).status, 200));
});

suite('a WebSocket is closed', () => {
  const masked = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
  const code = (number, ...reason) => [number >> 8, number & 0xff, ...reason];

  for (const [what, frame, expected] of [
    ['with 1002 for a close code that nobody may send', masked(8, code(1005)), 1002],
    ['with 1002 for one that means nothing', masked(8, code(999)), 1002],
    ['with 1002 for half a close code', masked(8, [3]), 1002],
    ['with 1007 for a reason that is no UTF-8', masked(8, code(1000, 0xff)), 1007],
    ['with 1007 for a text that is no UTF-8', masked(1, [0x22, 0xc3, 0x28, 0x22]), 1007],
    ['with 1002 for an opcode that there is not', masked(3, []), 1002],
    ['with the code that it was closed with', masked(8, code(3001, 0x61)), 3001],
  ]) {
    test(what, async (t) => {
      const client = await connectRaw(t, server);
      await client.next(ACTION.connected);
      client.socket._socket.write(frame);
      assert.equal(await within(client.closed, 'the close'), expected);
    });
  }
});

suite('the pages of other origins', () => {
  const allowed = async (path, origin, method = 'GET', ...headers) =>
    (await ask(`${method} ${path} HTTP/1.1`, [`Origin: ${origin}`, ...headers])).headers.get('access-control-allow-origin');

  test('read what asks for a token, and nothing that goes by a cookie, however its path is written', async () => {
    for (const path of ['/auth', '/%61uth', '/auth/', '/%61%75%74%68?x', 'http://localhost/auth', '/auth?format=jwt']) {
      for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE']) {
        assert.equal(await allowed(path, stranger, method), null, `${method} ${path}`);
        assert.equal(await allowed(path, friend, method), friend, `${method} ${path}`);
      }
    }
    for (const path of ['/time', '/tim%65', messages, '/no/such/path', '/auth/more']) assert.equal(await allowed(path, stranger), stranger, path);
  });

  test('read nothing that is for operators', async () => {
    for (const path of ['/healthz', '/readyz', '/h%65althz', '/healthz/']) {
      for (const origin of [stranger, friend]) assert.equal(await allowed(path, origin), null, path);
    }
  });
});

suite('a name that is not the server’s', () => {
  const asked = (path, host) => ask(`GET ${path} HTTP/1.1`, [], '', { host: [`Host: ${host}`] });

  test('gets no token, and is told which setting makes it one', async () => {
    for (const path of ['/auth', '/%61uth', '/auth/', '/auth?format=jwt', 'http://evil.example/auth']) {
      const refused = await asked(path, path.startsWith('http') ? 'localhost' : 'evil.example:8080');
      assert.deepEqual([refused.status, code(refused)], [403, 40300], path);
      assert.match(JSON.parse(refused.body).error.message, /Host "evil\.example.*\[server\]/);
      assert.equal(refused.headers.get('set-cookie'), null);
    }
    for (const host of ['', 'localhost.evil.example', '192.0.2.1', '127.0.0.1.evil.example']) assert.equal((await asked('/auth', host)).status, 403, host);
  });

  test('is none of these', async () => {
    for (const host of ['localhost', `LocalHost:${server.port}`, '127.0.0.1', `127.0.0.1:${server.port}`, '[::1]:80', 'chat.example.org', 'Chat.Example.Org:443']) {
      assert.equal((await asked('/auth', host)).status, 200, host);
    }
  });

  test('does not matter to who has a token, nor to who asks how it is', async () => {
    for (const path of ['/time', '/healthz', '/readyz']) assert.equal((await asked(path, 'evil.example')).status, 200, path);
  });
});

suite('metrics_listen', () => {
  test('is where the metrics are, and only what is for operators', async () => {
    const there = (path) => ask(`GET ${path} HTTP/1.1`, [], '', { port: metricsPort, host: ['Host: prometheus.internal'] });
    assert.match((await there('/metrics')).body.toString(), /^palimpsest_connections \d+/m);
    for (const path of ['/healthz', '/readyz']) assert.equal((await there(path)).status, 200, path);
    for (const path of ['/auth', '/time', '/', messages]) assert.equal((await there(path)).status, 404, path);
    const upgrade = ['Connection: upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    assert.equal((await ask('GET / HTTP/1.1', upgrade, '', { port: metricsPort })).status, 404);
    assert.equal((await get('/metrics')).status, 404);
  });
});

suite('compression', () => {
  const zipped = (response) => response.headers.get('content-encoding') === 'gzip';

  test('of what REST answers, when it is asked for and worth it', async () => {
    const from = `Authorization: ${authorization}`, gzip = 'Accept-Encoding: br, gzip';
    for (let i = 0; i < 20; ++i) await publish([], JSON.stringify({ name: 'long', data: 'x'.repeat(100) }));
    const plain = await get(messages, from), small = await get('/time', gzip), large = await get(messages, from, gzip);
    assert.deepEqual([plain, small, large].map(zipped), [false, false, true]);
    assert.deepEqual(JSON.parse(gunzipSync(large.body)), JSON.parse(plain.body));
    assert.ok(large.body.length < plain.body.length / 4);
    for (const response of [plain, large]) assert.match(response.headers.get('vary'), /Accept-Encoding/);
    assert.equal(zipped(await get(messages, from, 'Accept-Encoding: gzip;q=0, *')), false);
    const head = await ask(`HEAD ${messages} HTTP/1.1`, [from, gzip]);
    assert.deepEqual([head.headers.get('content-length'), zipped(head), head.body.length], [large.headers.get('content-length'), true, 0]);
  });

  test('of the page, whose forms have tags of their own', async () => {
    const [plain, gzipped] = [await get('/'), await get('/', 'Accept-Encoding: gzip')];
    assert.deepEqual([plain, gzipped].map(zipped), [false, true]);
    assert.deepEqual(gunzipSync(gzipped.body), plain.body);
    const [tag, other] = [plain, gzipped].map(({ headers }) => headers.get('etag'));
    assert.notEqual(tag, other);
    const again = await get('/', 'Accept-Encoding: gzip', `If-None-Match: "x", W/${other}`);
    assert.deepEqual([again.status, again.headers.get('etag'), again.headers.get('vary'), again.body.length], [304, other, 'Accept-Encoding', 0]);
    assert.equal((await get('/', 'Accept-Encoding: gzip', `If-None-Match: ${tag}`)).status, 200);
  });
});

test('the page says what it may do', async () => {
  const { headers } = await get('/');
  assert.match(headers.get('content-security-policy'), /default-src 'none'; script-src 'self'[; ]/);
  assert.doesNotMatch(headers.get('content-security-policy'), /unsafe/);
  assert.deepEqual([headers.get('x-content-type-options'), headers.get('referrer-policy')], ['nosniff', 'no-referrer']);
});
