// permessage-deflate (RFC 7692): agreed to where the operator has turned it on, and seen on the wire.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { connect, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve', settings: 'websocket_compression = true\n' });
const text = JSON.stringify(Array.from({ length: 500 }, (_, n) => ({ n, text: 'as similar as it gets' })));
const received = ({ socket }) => socket._socket.bytesRead;

/** A client by hand that is attached, and whether it agreed to compress. */
async function attached(t, where, channel, options) {
  const client = await connectRaw(t, where, {}, options);
  await client.next(ACTION.connected);
  client.send({ action: ACTION.attach, channel });
  await client.next(ACTION.attached);
  return client;
}

for (const format of formats) {
  suite(format.name, () => {
    test('the SDK says and hears large and small, text and binary', async (t) => {
      const [client, other] = [await connect(t, server, format), await connect(t, server, format)];
      const name = `sdk:${format.name}`;
      const heard = await listen(other.channels.get(name));
      const said = ['small', text, Buffer.alloc(20_000, 7), { a: ['ü'] }];
      for (const data of said) await within(client.channels.get(name).publish('n', data), 'the ACK');
      await until(() => heard.length === said.length, 'every message');
      assert.deepEqual(heard.map(({ data }) => data), said);
    });
  });
}

test('what is sent is compressed for those who offered it, and whole for the others', async (t) => {
  const compressed = await Promise.all([1, 2].map(() => attached(t, server, 'broadcast')));
  const whole = await attached(t, server, 'broadcast', { perMessageDeflate: false });
  assert.deepEqual([...compressed, whole].map(({ socket }) => socket.extensions), ['permessage-deflate', 'permessage-deflate', '']);
  const before = [...compressed, whole].map(received);
  const publisher = await connect(t, server);
  await publisher.channels.get('broadcast').publish('n', text);
  for (const client of [...compressed, whole]) assert.equal((await client.next(ACTION.message)).messages[0].data, text);
  const [first, second, third] = [...compressed, whole].map((client, i) => received(client) - before[i]);
  assert.ok(first < text.length / 5 && first === second && third > text.length, `${[first, second, third]} bytes of ${text.length}`);
});

test('what the client sends is inflated, in fragments too', async (t) => {
  const client = await attached(t, server, 'inflated');
  const frame = JSON.stringify({ action: ACTION.message, channel: 'inflated', msgSerial: 0, messages: [{ name: 'n', data: text }] });
  client.socket.send(frame.slice(0, 5000), { fin: false });
  client.socket.send(frame.slice(5000), { fin: true });
  assert.equal((await client.next(ACTION.message)).messages[0].data, text);
});

test('a small message that inflates to a huge one ends the connection, and nothing else', async (t) => {
  const client = await attached(t, server, 'bomb');
  client.send('x'.repeat(50_000_000));
  assert.equal(await within(client.closed, 'the end'), 1009);
  assert.ok(client.socket._socket === null || client.socket._socket.bytesWritten < 1_000_000);
  await within(connect(t, server), 'another client');
});

test('it is not agreed to where it is not turned on', async (t) => {
  const plain = await startPalimpsest(t, { command: 'serve' });
  assert.equal((await attached(t, plain, 'c')).socket.extensions, '');
});
