// Derived channels: a subscription that the server filters (channels.getDerived).
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const all = 'app.all:secret', ordinary = 'app.ordinary:secret';
const server = await startPalimpsest({ after }, {
  command: 'serve',
  settings: `
    keys = [{ key = "${all}", capability = '{"[*]*":["*"]}' }, { key = "${ordinary}" }]
  `,
});

/** What is heard through a filter from now on, by name. */
async function listenThrough(client, name, filter, options) {
  const heard = [];
  const channel = client.channels.getDerived(name, { filter }, options);
  await within(channel.subscribe((message) => heard.push(message)), `${name} to attach`);
  return { channel, heard, data: () => heard.map(({ data }) => data) };
}

const iceCream = (data, headers) => ({ name: 'ice-cream', data, extras: { headers } });

for (const format of formats) {
  suite(format.name, () => {
    test("the documentation's example: name and headers, literals of JSON", async (t) => {
      const client = await connect(t, server, { key: all, ...format });
      const name = `scoops-kiosk:${format.name}`;
      const through = await listenThrough(
        client, name, 'name == `"ice-cream"` && headers.flavor == `"strawberry"` && headers.cost < `50`',
      );
      const whole = await listen(client.channels.get(name));
      const channel = client.channels.get(name);
      await channel.publish(iceCream('too dear', { flavor: 'strawberry', cost: 50 }));
      await channel.publish(iceCream('mint', { flavor: 'mint', cost: 1 }));
      await channel.publish(iceCream({ this: 'one' }, { flavor: 'strawberry', cost: 35 }));
      await channel.publish('ice-cream', 'without headers');
      await channel.publish([iceCream('first', {}), iceCream(Buffer.from('second'), { flavor: 'strawberry', cost: 0 })]);
      await until(() => whole.length === 6 && through.heard.length >= 2, 'the messages');
      assert.deepEqual(through.data(), [{ this: 'one' }, Buffer.from('second')]);
      assert.equal(through.heard[0].id, whole[2].id);
      assert.equal(through.heard[1].id, whole[5].id);
    });

    test('what is missed is filtered too, when one resumes and with rewind', async (t) => {
      const name = `missed:${format.name}`, filter = "contains(headers.to, 'ann')";
      const publisher = await connect(t, server, { key: all });
      const say = (data, to) => publisher.channels.get(name).publish({ name: 'm', data, extras: { headers: { to } } });
      await say('1', 'ann and bob');
      await say('2', 'bob');
      const client = await connect(t, server, { key: all, ...format });
      const through = await listenThrough(client, `[?rewind=10]${name}`, filter);
      await until(() => through.heard.length === 1, 'what was before');
      await say('3', 'ann');
      await until(() => through.heard.length === 2, 'what comes');
      client.connection.connectionManager.disconnectAllTransports();
      await say('4', 'bob');
      await say('5', 'ann');
      await until(() => through.heard.length === 3, 'what was missed');
      assert.deepEqual(through.data(), ['1', '3', '5']);
    });

    test('one can only subscribe through a filter', async (t) => {
      const client = await connect(t, server, { key: all, clientId: 'ann', ...format });
      const { channel } = await listenThrough(client, `only:${format.name}`, 'name');
      assert.deepEqual(channel.modes, ['subscribe']);
      assert.equal(await codeOf(channel.publish('no', 'no')), 40010);
      assert.equal(await codeOf(channel.presence.enter()), 40160);
      assert.equal(await codeOf(channel.history()), 40010);
    });

    test('a filter that cannot be read is refused with the reason', async (t) => {
      const client = await connect(t, server, { key: all, ...format });
      const channel = client.channels.getDerived('room', { filter: 'name == ' });
      assert.equal(await codeOf(channel.attach()), 40010);
      assert.match(channel.errorReason.message, /filter cannot be read at character 8/);
    });
  });
}

test('a key for ordinary channels alone does not filter', async (t) => {
  const client = await connect(t, server, { key: ordinary });
  assert.equal(await codeOf(client.channels.getDerived('room', { filter: 'name' }).attach()), 40160);
  await client.channels.get('room').attach();
});
