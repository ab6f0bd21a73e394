// HTTP around the REST API: errors in Ably's form, what browsers on other origins may do, and clients that dawdle.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, suite, test } from 'node:test';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const authorization = `Basic ${btoa(server.key)}`;
const messages = '/channels/c/messages';

/** {status, code, headers} of an answer that must be an error in Ably's form. */
async function refusal(path, init) {
  const response = await fetch(server.origin + path, init);
  const { error } = await response.json();
  assert.equal(response.headers.get('x-ably-errorcode'), String(error.code));
  assert.equal(response.status, error.statusCode);
  assert.match(error.href, new RegExp(`/${error.code}$`));
  return { status: response.status, code: error.code, headers: response.headers };
}

suite('errors', () => {
  test('a path that is nowhere is 404', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {  // whether or not there is such a method anywhere
      const { status, code } = await refusal('/no/such/path', { method, headers: { authorization } });
      assert.deepEqual([status, code], [404, 40400], method);
    }
  });

  test('a key that is nowhere is 404 too, whatever is asked of it; of one that is there the method is wrong', async () => {
    const missing = await refusal('/keys/ablyjs.test/requestToken', { headers: { authorization } });
    assert.deepEqual([missing.status, missing.code], [404, 40400]);
    const there = await refusal(`/keys/${server.key.split(':')[0]}/requestToken`, { headers: { authorization } });
    assert.deepEqual([there.status, there.code], [405, 40500]);
  });

  test('a method that a path does not have is 405, and what it has is told', async () => {
    const { status, code, headers } = await refusal(messages, { method: 'DELETE', headers: { authorization } });
    assert.deepEqual([status, code], [405, 40500]);
    assert.deepEqual(headers.get('allow').split(', ').sort(), ['GET', 'OPTIONS', 'POST']);
  });

  test('a body that is neither JSON nor MessagePack is 415', async () => {
    const publish = (type) => ({ method: 'POST', body: '{"data":"d"}', headers: { authorization, 'content-type': type } });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const { status, code } = await refusal(messages, publish(type));
      assert.deepEqual([status, code], [415, 41500], type);
    }
    const response = await fetch(server.origin + messages, publish('application/json; charset=utf-8'));
    assert.equal(response.status, 201);
  });

  test('a body above the limit is 413', async () => {
    const { status, code } = await refusal(messages, { method: 'POST', body: 'x'.repeat(3 << 20), headers: { authorization } });
    assert.deepEqual([status, code], [413, 41300]);
  });

  test('HEAD is GET without the body', async () => {
    const response = await fetch(`${server.origin}/healthz`, { method: 'HEAD' });
    assert.deepEqual([response.status, await response.text()], [200, '']);
  });
});

suite('other origins', () => {
  const origin = 'https://elsewhere.example';
  const allowed = (response, name) => response.headers.get(`access-control-allow-${name}`);

  test('a preflight allows what the SDK sends, with credentials', async () => {
    for (const path of [messages, `${messages}/serial`, '/time', '/keys/k/requestToken']) {
      const asked = 'authorization,content-type,if-match,x-ably-clientid,x-ably-version';
      const response = await fetch(server.origin + path, {
        method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': asked },
      });
      assert.equal(response.status, 204);
      assert.equal(allowed(response, 'origin'), origin);
      assert.equal(allowed(response, 'credentials'), 'true');
      assert.equal(allowed(response, 'headers'), asked);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) assert.match(allowed(response, 'methods'), new RegExp(`\\b${method}\\b`));
    }
  });

  test('answers and errors can be read, with the headers the SDK reads', async () => {
    for (const [path, status] of [[messages, 200], ['/no/such/path', 404]]) {
      const response = await fetch(server.origin + path, { headers: { origin, authorization } });
      assert.deepEqual([response.status, allowed(response, 'origin'), allowed(response, 'credentials')], [status, origin, 'true']);
      for (const name of ['Link', 'X-Ably-ErrorCode', 'X-Ably-ErrorMessage']) {
        assert.ok(response.headers.get('access-control-expose-headers').split(', ').includes(name), name);
      }
    }
  });

  test('what answers by a cookie is not for them', async () => {
    const response = await fetch(`${server.origin}/auth`, { headers: { origin } });
    assert.deepEqual([allowed(response, 'origin'), allowed(response, 'credentials')], [null, null]);
  });
});

test('who connects and says nothing, or not all, is let go', async () => {
  /** All that comes back on a connection where this was said, until the server closes it. */
  const closed = (said) => new Promise((resolve) => {
    let answer = '';
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(said));
    socket.setEncoding('latin1').on('data', (text) => (answer += text)).on('error', () => {}).once('close', () => resolve(answer));
  });
  const [nothing, half, body] = await within(Promise.all([
    closed(''),
    closed('GET /time HTTP/1.1\r\nHost: x\r\n'),
    closed('POST /channels/c/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'),
  ]), 'the server to let go', 15_000);
  assert.equal(nothing, '');
  for (const answer of [half, body]) assert.match(answer, /^HTTP\/1\.1 408 [^]*"code":40800/);
});
