// Event streams for who has no SDK: Server-Sent Events, and lines of JSON. Read here as a browser's EventSource would.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { connect, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const publisher = rest(server);

/** An open stream: what has come so far is in `text`, its events in `events`, {id, event, data}; `ended` when it is over. */
async function open(t, path, params, { headers = {}, key = server.key } = {}) {
  const gone = new AbortController();
  t.after(() => gone.abort());
  const url = `${server.origin}/${path}?${new URLSearchParams({ v: '1.2', ...(key && { key }), ...params })}`;
  const response = await within(fetch(url, { headers, signal: gone.signal }), 'the stream to open');
  const stream = { response, text: '', gone, get events() { return events(stream.text); } };
  stream.ended = (async () => {
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) stream.text += piece;
  })().catch(() => {});
  return stream;
}

/** By the rules of the HTML standard, §9.2.6. */
function events(text) {
  const all = [];
  let id = '';
  for (const block of text.split('\n\n').slice(0, -1)) {
    const fields = block.split('\n').filter((line) => !line.startsWith(':')).map((line) => /^(\w+):? ?(.*)$/.exec(line).slice(1));
    id = fields.findLast(([name]) => name === 'id')?.[1] ?? id;
    const data = fields.filter(([name]) => name === 'data').map(([, value]) => value);
    if (data.length > 0) all.push({ id, event: fields.find(([name]) => name === 'event')?.[1] ?? 'message', data: data.join('\n') });
  }
  return all;
}
const lastId = (text) => /.*^id: (\S+)$/ms.exec(text)?.[1];
const attached = (stream) => until(() => lastId(stream.text), 'the stream to be attached');
const refusal = async (t, params, more) => {
  const { response } = await open(t, 'sse', params, more);
  return [response.status, Number(response.headers.get('x-ably-errorcode'))];
};

suite('Server-Sent Events', () => {
  test('messages of several channels are events, enveloped', async (t) => {
    const stream = await open(t, 'sse', { channels: 'several:1,several:2' });
    assert.equal(stream.response.headers.get('content-type'), 'text/event-stream');
    await attached(stream);
    await publisher.channels.get('several:1').publish('text', 'plain');
    await publisher.channels.get('several:2').publish('object', { a: ['ü\n'] });
    await publisher.channels.get('several:1').publish('binary', Buffer.from([0, 255]));
    await until(() => stream.events.length === 3, 'the events');
    const told = stream.events.map(({ event, data }) => [event, JSON.parse(data)]);
    assert.deepEqual(told.map(([event, { channel, name, data, encoding }]) => [event, channel, name, data, encoding]), [
      ['message', 'several:1', 'text', 'plain', undefined],
      ['message', 'several:2', 'object', '{"a":["ü\\n"]}', 'json'],
      ['message', 'several:1', 'binary', 'AP8=', 'base64'],
    ]);
    assert.ok(told.every(([, { id, timestamp }]) => id && timestamp));
  });

  test('without envelopes there is the data alone', async (t) => {
    const stream = await open(t, 'event-stream', { channel: 'bare', enveloped: 'false' }, { headers: { accept: 'text/event-stream' } });
    await attached(stream);
    await publisher.channels.get('bare').publish('n', 'two\nlines');
    await until(() => stream.events.length, 'the event');
    assert.equal(stream.events[0].data, 'two\nlines');
  });

  test('presence is told', async (t) => {
    const stream = await open(t, 'sse', { channels: 'present' });
    await attached(stream);
    const ada = await connect(t, server, { clientId: 'ada' });
    await ada.channels.get('present').presence.enter('hello');
    await until(() => stream.events.length, 'the event');
    const { action, clientId, data } = JSON.parse(stream.events[0].data);
    assert.deepEqual([stream.events[0].event, action, clientId, data], ['presence', 2, 'ada', 'hello']);
  });

  for (const [how, resume] of [
    ['lastEvent', (id) => [{ lastEvent: id }]],
    ['Last-Event-ID', (id) => [{ lastEvent: 'of the first request, which browsers repeat' }, { headers: { 'last-event-id': id } }]],
  ]) {
    test(`${how} goes on from there, with nothing lost and nothing twice`, async (t) => {
      const channels = [`${how}:1`, `${how}:2`];
      const publish = (n) => publisher.channels.get(channels[n % 2]).publish('n', `${n}`);
      const first = await open(t, 'sse', { channels: channels.join(','), enveloped: 'false' });
      await attached(first);
      for (let n = 0; n < 5; n++) await publish(n);
      await until(() => first.events.length === 5, 'the first five');
      const { id } = first.events[2];
      first.gone.abort();
      for (let n = 5; n < 8; n++) await publish(n);
      const [params, more] = resume(id);
      const second = await open(t, 'sse', { channels: channels.join(','), enveloped: 'false', rewind: '10', ...params }, more);
      await until(() => second.events.length === 5, 'the rest');
      await publish(8);
      await until(() => second.events.length === 6, 'a live one');
      assert.deepEqual(second.events.map(({ data }) => data).sort(), ['3', '4', '5', '6', '7', '8']);
      assert.equal(second.events.at(-1).data, '8');
    });
  }

  test('a stream that was quiet can be gone on with too', async (t) => {
    const id = await attached(await open(t, 'sse', { channels: 'quiet' }));
    await publisher.channels.get('quiet').publish('n', 'meanwhile');
    const stream = await open(t, 'sse', { channels: 'quiet', lastEvent: id, enveloped: 'false' });
    await until(() => stream.events.length, 'the event');
    assert.equal(stream.events[0].data, 'meanwhile');
  });

  test('rewind begins with what was said last', async (t) => {
    for (const n of [1, 2, 3]) await publisher.channels.get('rewound').publish('n', `${n}`);
    const stream = await open(t, 'sse', { channels: 'rewound', rewind: '2', enveloped: 'false' });
    await until(() => stream.events.length === 2, 'two events');
    assert.deepEqual(stream.events.map(({ data }) => data), ['2', '3']);
  });

  test('a token that expires is told of, and the stream ends', async (t) => {
    const { token } = await publisher.auth.requestToken({ ttl: 1000 });
    const stream = await open(t, 'sse', { channels: 'expiring', accessToken: token }, { key: null });
    await within(stream.ended, 'the end', 20_000);
    assert.deepEqual(stream.events.map(({ event, data }) => [event, JSON.parse(data).code]), [['error', 40142]]);
  });

  test('what is silent is kept alive', async (t) => {
    const comments = await open(t, 'sse', { channels: 'silent' });
    const heartbeats = await open(t, 'sse', { channels: 'silent', heartbeats: 'true' });
    const times = ({ text }, what) => text.split(what).length - 1;  // the first is the greeting
    await until(() => times(comments, ':keepalive\n\n') > 1 && times(heartbeats, 'event: heartbeat\n') > 1, 'the keepalives', 20_000);
  });
});

test('lines of JSON say the same', async (t) => {
  const stream = await open(t, 'event-stream', { channels: 'lines' });
  assert.equal(stream.response.headers.get('content-type'), 'application/json');
  await until(() => publisher.channels.get('lines').publish('n', { a: 1 }).then(() => stream.text.includes('{')), 'a line');
  const { id, event, data } = JSON.parse(stream.text.split('\n').find((line) => line));
  assert.deepEqual([Boolean(id), event, data.name, data.data, data.encoding, data.channel], [true, 'message', 'n', '{"a":1}', 'json', 'lines']);
});

test('a separator makes room for commas', async (t) => {
  const stream = await open(t, 'sse', { channels: 'a,b|c', separator: '|', enveloped: 'false' });
  await attached(stream);
  await publisher.channels.get('a,b').publish('n', 'd');
  await until(() => stream.events.length, 'the event');
});

test('what cannot be is refused before the stream opens', async (t) => {
  const { token } = await publisher.auth.requestToken({ capability: { mine: ['subscribe'], written: ['publish'] } });
  assert.deepEqual(await refusal(t, { channels: 'c' }, { key: null }), [401, 40100]);
  assert.equal((await refusal(t, { channels: 'c', accessToken: 'nonsense' }, { key: null }))[0], 401);
  assert.deepEqual(await refusal(t, { channels: 'mine,theirs', accessToken: token }, { key: null }), [401, 40160]);
  assert.deepEqual(await refusal(t, { channels: 'written', accessToken: token }, { key: null }), [401, 40160]);
  assert.deepEqual(await refusal(t, {}), [400, 40003]);
  assert.deepEqual(await refusal(t, { channels: ':bad' }), [400, 40010]);
  assert.deepEqual(await refusal(t, { channels: 'c', rewind: 'x' }), [400, 40003]);
  assert.deepEqual(await refusal(t, { channels: 'c,d', lastEvent: 'm19ab2c3d4e5-0000000001' }), [400, 40003]);
});

test('a reader who goes leaves nothing behind', async (t) => {
  const stream = await open(t, 'sse', { channels: 'left' });
  await attached(stream);
  const occupants = async () => (await publisher.request('GET', '/channels/left', 3)).items[0]?.status.occupancy.metrics.connections ?? 0;
  assert.equal(await occupants(), 1);
  stream.gone.abort();
  await until(async () => (await occupants()) === 0, 'the connection to end');
});
