// RTAN, RSAN, TM2u: annotations and what they add up to, with Ably's SDK.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const modes = ['PUBLISH', 'SUBSCRIBE', 'ANNOTATION_PUBLISH', 'ANNOTATION_SUBSCRIBE'];

for (const format of formats) {
  suite(format.name, () => {
    test('an annotation reaches who asked for them, its summary everybody, and REST has both', async (t) => {
      const name = `${format.name}:${t.name}`;
      const ann = await connect(t, server, { ...format, clientId: 'ann' });
      const bob = await connect(t, server, { ...format, clientId: 'bob' });
      const [annotated, summed, unasked] = [[], [], []];
      const channel = ann.channels.get(name, { modes });
      await channel.annotations.subscribe((annotation) => annotated.push(annotation));
      await bob.channels.get(name).subscribe((message) => summed.push(message));
      await bob.channels.get(name).annotations.subscribe((annotation) => unasked.push(annotation)).catch(() => {});
      await channel.publish('n', 'hello');
      const { serial } = await until(() => summed[0]);

      await channel.annotations.publish(serial, { type: 'reaction:distinct.v1', name: '👍', data: { note: 1 } });
      await bob.channels.get(name).annotations.publish(serial, { type: 'reaction:distinct.v1', name: '👍' });
      await rest(server, { ...format, clientId: 'carl' }).channels.get(name).annotations.publish(serial, { type: 'claps:multiple.v1', name: 'x', count: 3 });
      await channel.annotations.delete(serial, { type: 'reaction:distinct.v1', name: '👍' });
      await until(() => summed.length === 5 && annotated.length === 4);

      assert.deepEqual(annotated.map(({ action, clientId, name, count }) => [action, clientId, name, count]), [
        ['annotation.create', 'ann', '👍', undefined], ['annotation.create', 'bob', '👍', undefined],
        ['annotation.create', 'carl', 'x', 3], ['annotation.delete', 'ann', '👍', undefined],
      ]);
      assert.deepEqual(annotated[0].data, { note: 1 });
      assert.ok(annotated.every(({ messageSerial, timestamp, id }) => messageSerial === serial && timestamp && id));
      assert.deepEqual(unasked, []);
      assert.ok(summed.slice(1).every((message) => message.action === 'message.summary' && message.serial === serial));
      assert.deepEqual(summed.at(-1).annotations.summary, {
        'claps:multiple.v1': { x: { total: 3, clientIds: { carl: 3 }, totalUnidentified: 0, clipped: false, totalClientIds: 1 } },
        'reaction:distinct.v1': { '👍': { total: 1, clientIds: ['bob'], clipped: false } },
      });

      const { items } = await channel.history();
      assert.deepEqual(items.map(({ action, data }) => [action, data]), [['message.create', 'hello']]);
      assert.deepEqual(items[0].annotations.summary, summed.at(-1).annotations.summary);
      const read = [];
      for (let page = await channel.annotations.get(serial, { limit: 3 }); page; page = await page.next()) read.push(...page.items);
      assert.deepEqual(read.map(({ serial: each }) => each), annotated.map(({ serial: each }) => each));  // RSAN3: the oldest first
    });

    test('an annotation of a type without a summarisation method is delivered and listed, and has no summary', async (t) => {
      const ann = await connect(t, server, { ...format, clientId: 'ann' });
      const channel = ann.channels.get(`${format.name}:${t.name}`, { modes });
      const [annotated, messages] = [[], []];
      await channel.annotations.subscribe((annotation) => annotated.push(annotation));
      await channel.subscribe((message) => messages.push(message));
      const { serials: [serial] } = await channel.publish('n', 'x');
      await channel.annotations.publish(serial, { type: 'com.example.comments', data: { text: 'well said' } });
      await rest(server, format).channels.get(channel.name).annotations.publish(serial, { type: 'nonsense' });
      await channel.annotations.publish(serial, { type: 'x:flag.v1' });
      await until(() => annotated.length === 3 && messages.length === 2);
      assert.deepEqual(annotated.map(({ type }) => type), ['com.example.comments', 'nonsense', 'x:flag.v1']);
      assert.deepEqual(annotated[0].data, { text: 'well said' });
      assert.deepEqual(Object.keys(messages[1].annotations.summary), ['x:flag.v1']);
      assert.deepEqual((await channel.annotations.get(serial)).items.map(({ type }) => type), annotated.map(({ type }) => type));
    });

    test('an annotation of nothing, or that its type does not allow, is refused', async (t) => {
      const client = await connect(t, server, format);
      const channel = client.channels.get(`${format.name}:${t.name}`);
      const { serials: [serial] } = await channel.publish('n', 'x');
      for (const target of [channel, rest(server, format).channels.get(channel.name)]) {
        assert.equal(await codeOf(target.annotations.publish(serial, { type: 'x:distinct.v1', name: 'x'.repeat(300) })), 40000);
        assert.equal(await codeOf(target.annotations.publish(serial, { type: 'x:flag.v1' })), 40161);
        assert.equal(await codeOf(target.annotations.publish('none', { type: 'x:total.v1' })), 40400);
        await target.annotations.publish(serial, { type: 'x:total.v1' });
      }
    });
  });
}
