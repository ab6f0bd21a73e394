// Channel param delta=vcdiff: messages as what changed since the one before (RTL18-RTL21, PC3).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, suite, test } from 'node:test';
import vcdiff from '@ably/vcdiff-decoder';
import { connect, dropTransport, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const params = { delta: 'vcdiff' };
const states = [
  { foo: 'bar', count: 1, status: 'active' },
  { foo: 'bar', count: 2, status: 'active' },
  { foo: 'bar', count: 2, status: 'inactive' },
  { foo: 'bar', count: 3, status: 'inactive' },
  { foo: 'bar', count: 3, status: 'active' },
];

/** A subscriber who wants deltas and counts them: {client, channel, heard, decoder, recoveries}. */
async function subscribe(t, format, name, { options = { params }, decode = vcdiff.decode, client: more } = {}) {
  const decoder = { calls: 0, decode: (delta, base) => (decoder.calls++, decode(delta, base)) };
  const client = await connect(t, server, { ...format, plugins: { vcdiff: decoder }, ...more });
  const channel = client.channels.get(name, options);
  const recoveries = [], heard = [];
  await within(channel.subscribe((message) => heard.push(message)), 'the attachment');
  channel.on('attaching', ({ reason }) => recoveries.push(reason.code));
  const hears = (count) => until(() => heard.length === count, `${count} messages, after ${heard.length}`);
  return { client, channel, heard, decoder, recoveries, hears, data: () => heard.map(({ data }) => data) };
}

async function publisher(t, name) {
  const client = await connect(t, server);
  return client.channels.get(name);
}

for (const format of formats) {
  suite(format.name, () => {
    test('PC3: after the first message each is decoded from a delta', async (t) => {
      const subscriber = await subscribe(t, format, `all:${format.name}`);
      assert.deepEqual(subscriber.channel.params, params);
      for (const [i, state] of states.entries()) await subscriber.channel.publish(String(i), state);
      await subscriber.hears(states.length);
      assert.deepEqual(subscriber.data(), states);
      assert.equal(subscriber.decoder.calls, states.length - 1);
      assert.deepEqual(subscriber.recoveries, []);
    });

    test('RTL19: text, JSON and bytes follow each other', async (t) => {
      const subscriber = await subscribe(t, format, `kinds:${format.name}`);
      const text = JSON.stringify(states).replace('bar', 'größer 👍');
      const kinds = [text, JSON.parse(text), Buffer.from(text + 'x'), text, '', text, null, text];
      for (const data of kinds) await subscriber.channel.publish({ name: 'n', data, extras: { headers: { a: 1 } } });
      await subscriber.hears(kinds.length);
      assert.deepEqual(subscriber.data().map((data) => data ?? null), kinds);
      assert.equal(subscriber.decoder.calls, 3);  // not the first, not the empty ones, not those behind them
      assert.deepEqual(subscriber.heard[1].extras.headers, { a: 1 });
    });

    test('RTL19b: what is nothing like the message before comes whole', async (t) => {
      const subscriber = await subscribe(t, format, `random:${format.name}`);
      const payloads = Array.from({ length: 4 }, () => randomBytes(1024));
      for (const data of payloads) await subscriber.channel.publish('n', data);
      await subscriber.hears(payloads.length);
      assert.deepEqual(subscriber.data(), payloads);
      assert.equal(subscriber.decoder.calls, 0);
    });

    test('RTL21: messages published together are deltas of each other', async (t) => {
      const subscriber = await subscribe(t, format, `array:${format.name}`);
      await subscriber.channel.publish(states.map((data) => ({ name: 'n', data })));
      await subscriber.channel.publish(states.map((data) => ({ name: 'n', data })));
      await subscriber.hears(2 * states.length);
      assert.deepEqual(subscriber.data(), [...states, ...states]);
      assert.ok(subscriber.decoder.calls >= states.length, `${subscriber.decoder.calls} deltas`);
    });

    test('RTL20: whoever comes later, or does not hear its own, starts with a whole message', async (t) => {
      const name = `several:${format.name}`;
      const early = await subscribe(t, format, name);
      const deaf = await subscribe(t, format, name, { client: { echoMessages: false } });
      await early.channel.publish('n', states[0]);
      const late = await subscribe(t, format, name);
      await early.channel.publish('n', states[1]);
      await deaf.channel.publish('n', states[2]);
      await early.channel.publish('n', states[3]);
      await early.channel.publish('n', states[4]);
      await Promise.all([early.hears(5), deaf.hears(4), late.hears(4)]);
      assert.deepEqual(early.data(), states);
      assert.deepEqual(deaf.data(), [states[0], states[1], states[3], states[4]]);
      assert.deepEqual(late.data(), states.slice(1));
      assert.deepEqual([early.decoder.calls, deaf.decoder.calls, late.decoder.calls], [4, 2, 3]);
      assert.deepEqual([...early.recoveries, ...deaf.recoveries, ...late.recoveries], []);
    });

    test('what is replayed on a resume and a rewind comes as deltas too', async (t) => {
      const name = `replayed:${format.name}`;
      const channel = await publisher(t, name);
      const subscriber = await subscribe(t, format, name);
      await channel.publish('n', states[0]);
      await subscriber.hears(1);
      dropTransport(subscriber.client);
      for (const state of states.slice(1)) await channel.publish('n', state);
      await subscriber.hears(states.length);
      assert.deepEqual(subscriber.data(), states);
      const rewound = await subscribe(t, format, name, { options: { params: { ...params, rewind: '3' } } });
      await channel.publish('n', states[0]);
      await rewound.hears(4);
      assert.deepEqual(rewound.data(), [...states.slice(2), states[0]]);
      assert.equal(rewound.decoder.calls, 3);
      assert.deepEqual(rewound.recoveries, []);
    });

    test('RTL18, RTL20: a client that lost the message before gets on from there', async (t) => {
      const subscriber = await subscribe(t, format, `lost:${format.name}`);
      for (const state of states.slice(0, 2)) await subscriber.channel.publish('n', state);
      await subscriber.hears(2);
      subscriber.channel._lastPayload.messageId = null;
      for (const state of states.slice(2)) await subscriber.channel.publish('n', state);
      await subscriber.hears(states.length);
      assert.deepEqual(subscriber.data(), states);
      assert.deepEqual(subscriber.recoveries, [40018]);
      assert.equal(subscriber.decoder.calls, states.length - 2);
    });

    test('RTL18: a client that decodes nothing gets all messages whole in the end, each once', async (t) => {
      const decode = () => { throw new Error('no'); };
      const subscriber = await subscribe(t, format, `failing:${format.name}`, { decode });
      for (const state of states) await subscriber.channel.publish('n', state);
      await subscriber.hears(states.length);
      assert.deepEqual(subscriber.data(), states);
      assert.deepEqual([...new Set(subscriber.recoveries)], [40018]);
    });

    test('PC3: without the plugin the channel fails', async (t) => {
      const name = `unprepared:${format.name}`;
      const channel = await publisher(t, name);
      const client = await connect(t, server, format);
      const unprepared = client.channels.get(name, { params });
      await unprepared.subscribe(() => {});
      for (const state of states) await channel.publish('n', state);
      await within(unprepared.whenState('failed'), 'the failure');
      assert.equal(unprepared.errorReason.code, 40019);
    });

    test('without the param, or with one we do not know, messages are whole', async (t) => {
      const name = `whole:${format.name}`;
      const without = await subscribe(t, format, name, { options: {} });
      const unknown = await subscribe(t, format, name, { options: { params: { delta: 'xdelta' } } });
      assert.deepEqual(unknown.channel.params, {});
      for (const state of states) await without.channel.publish('n', state);
      await Promise.all([without.hears(states.length), unknown.hears(states.length)]);
      assert.deepEqual(unknown.data(), states);
      assert.equal(without.decoder.calls + unknown.decoder.calls, 0);
    });
  });
}

test('RTL16: deltas can be switched on and off while attached', async (t) => {
  const subscriber = await subscribe(t, formats[0], 'switched', { options: {} });
  await subscriber.channel.publish('n', states[0]);
  await subscriber.channel.setOptions({ params });
  for (const state of states.slice(1, 3)) await subscriber.channel.publish('n', state);
  await subscriber.hears(3);
  assert.equal(subscriber.decoder.calls, 1);
  await subscriber.channel.setOptions({ params: {} });
  for (const state of states.slice(3)) await subscriber.channel.publish('n', state);
  await subscriber.hears(states.length);
  assert.deepEqual(subscriber.data(), states);
  assert.equal(subscriber.decoder.calls, 1);
});

test('an occupancy message in between confuses nobody', async (t) => {
  const subscriber = await subscribe(t, formats[0], 'watched', { options: { params: { ...params, occupancy: 'metrics' } } });
  const messages = () => subscriber.heard.filter(({ name }) => name === 'n').map(({ data }) => data);
  for (const [i, state] of states.entries()) {
    await subscriber.channel.publish('n', state);
    await until(() => messages().length === i + 1, `message ${i}`);
    const told = subscriber.heard.length;
    const visitor = await connect(t, server);
    await visitor.channels.get('watched').attach();
    await until(() => subscriber.heard.length > told, 'news of the occupancy');
  }
  assert.deepEqual(messages(), states);
  assert.deepEqual(subscriber.recoveries, []);
});

test('what a publisher says in extras.delta reaches nobody', async (t) => {
  const channel = await publisher(t, 'liar');
  const heard = await listen(channel);
  await channel.publish({ name: 'n', data: 'd', extras: { delta: { from: 'elsewhere', format: 'vcdiff' }, headers: { a: 1 } } });
  await until(() => heard.length, 'the message');
  assert.deepEqual(heard[0].extras, { headers: { a: 1 } });
});
