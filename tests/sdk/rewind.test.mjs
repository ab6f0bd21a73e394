// RTL4k: an attachment that begins in the past.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

/** Attaches a fresh client to a channel that is asked for in this way: what it hears, and a wait for a message. */
async function attach(t, format, name, options) {
  const client = await connect(t, server, format);
  const heard = [];
  await within(client.channels.get(name, options).subscribe(({ data }) => heard.push(data)), 'the attachment');
  return { heard, hears: (last) => until(() => heard.includes(last), `message ${last}, after ${heard}`) };
}

async function publishTo(t, name, numbers) {
  const publisher = await connect(t, server);
  for (const number of numbers) await publisher.channels.get(name).publish('n', number);
  return publisher;
}

for (const format of formats) {
  suite(format.name, () => {
    const rewound = (rewind) => ({ params: { rewind } });

    test('a count gives that many messages, then the live ones', async (t) => {
      const name = `count:${format.name}`;
      const publisher = await publishTo(t, name, ['1', '2', '3', '4']);
      const { heard, hears } = await attach(t, format, name, rewound('2'));
      await publisher.channels.get(name).publish('n', '5');
      await hears('5');
      assert.deepEqual(heard, ['3', '4', '5']);
    });

    test('a duration gives what is not older', async (t) => {
      const name = `duration:${format.name}`;
      await publishTo(t, name, ['1', '2', '3']);
      const { heard, hears } = await attach(t, format, name, rewound('2m'));
      await hears('3');
      assert.deepEqual(heard, ['1', '2', '3']);
    });

    test('a qualified name asks for the same', async (t) => {
      const name = `qualified:${format.name}`;
      const publisher = await publishTo(t, name, ['1', '2', '3']);
      const { heard, hears } = await attach(t, format, `[?rewind=1]${name}`);
      await publisher.channels.get(name).publish('n', '4');
      await hears('4');
      assert.deepEqual(heard, ['3', '4']);
    });

    test('more than there is gives what there is', async (t) => {
      const name = `all:${format.name}`;
      await publishTo(t, name, ['1']);
      const { heard, hears } = await attach(t, format, name, rewound('100'));
      await hears('1');
      assert.deepEqual(heard, ['1']);
    });

    test('without it nothing of the past is heard', async (t) => {
      const name = `none:${format.name}`;
      const publisher = await publishTo(t, name, ['1']);
      const { heard, hears } = await attach(t, format, name);
      await publisher.channels.get(name).publish('n', '2');
      await hears('2');
      assert.deepEqual(heard, ['2']);
    });
  });
}

test('a rewind that cannot be understood is refused, as Ably documents it', async (t) => {
  for (const rewind of ['soon', '-1', '5h5']) {
    const client = await connect(t, server);
    assert.equal(await codeOf(client.channels.get('odd', { params: { rewind } }).attach()), 40003);
    assert.equal(client.connection.state, 'connected');
  }
});
