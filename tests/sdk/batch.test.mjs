// RSC22, RSC24, BSP, BPR, BPF, BGR, BGF, BAR: many channels in one request.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, listen, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const all = rest(server);

/** A client that may do this much. */
const limited = async (format, capability) => rest(server, { token: (await all.auth.requestToken({ capability })).token, ...format });
const dataOf = async (name) => (await all.channels.get(name).history({ direction: 'forwards' })).items.map(({ data }) => data);

for (const format of formats) {
  suite(format.name, () => {
    const named = (name) => `${format.name}:${name}`;

    test('every channel is published to, or says why not', async () => {
      const client = await limited(format, { [named('mine')]: ['publish'], [named('also mine')]: ['publish'] });
      const specs = [
        { channels: [named('mine'), named('not mine'), ':bad'], messages: [{ data: '1' }, { data: { two: 2 } }] },
        { channels: [named('also mine')], messages: [{ data: 'three' }] },
      ];
      const [first, second] = await client.batchPublish(specs);
      assert.deepEqual([first.successCount, first.failureCount], [1, 2]);
      assert.deepEqual(first.results.map(({ channel, error }) => [channel, error?.code, error?.statusCode]), [
        [named('mine'), undefined, undefined], [named('not mine'), 40160, 401], [':bad', 40010, 400],
      ]);
      assert.equal(first.results[0].serials.length, 2);
      assert.ok(first.results[0].messageId.includes(':0'), first.results[0].messageId);
      assert.deepEqual(Object.keys(first.results[1]).sort(), ['channel', 'error']);
      assert.deepEqual([second.successCount, second.failureCount, second.results[0].channel], [1, 0, named('also mine')]);
      assert.deepEqual(await dataOf(named('mine')), ['1', { two: 2 }]);
      assert.deepEqual(await dataOf(named('not mine')), []);
      const { items } = await all.channels.get(named('mine')).history({ direction: 'forwards' });
      assert.deepEqual(items.map(({ id, serial }) => [id, serial]),
        first.results[0].serials.map((serial, i) => [`${first.results[0].messageId}:${i}`, serial]));
    });

    test('a single spec has a single result', async () => {
      const { successCount, results } = await rest(server, format).batchPublish({ channels: [named('one')], messages: [{ id: 'mine', data: 'd' }] });
      assert.deepEqual([successCount, results[0].messageId], [1, 'mine']);
      await rest(server, format).batchPublish({ channels: [named('one')], messages: [{ id: 'mine', data: 'd' }] });
      assert.deepEqual(await dataOf(named('one')), ['d']);
    });

    test('before version 3 results are a plain list, or part of an error', async () => {
      const client = rest(server, format);
      const good = await client.request('POST', '/messages', 2, {}, { channels: [named('old 1'), named('old 2')], messages: { data: 'd' } }, {});
      assert.deepEqual([good.statusCode, good.items.map(({ channel }) => channel)], [201, [named('old 1'), named('old 2')]]);
      const bad = await client.request('POST', '/messages', 2, {}, { channels: [named('old 1'), ':bad'], messages: { data: 'd' } }, {});
      assert.deepEqual([bad.statusCode, bad.errorCode], [400, 40020]);
      assert.equal(bad.items[0].batchResponse[1].error.code, 40010);
    });

    test('members of many channels are read at once', async (t) => {
      const user = await connect(t, server, { clientId: 'ann', ...format });
      for (const name of ['here', 'hidden']) await user.channels.get(named(name)).presence.enter(Buffer.from([1, 255]));
      const client = await limited(format, { [named('here')]: ['presence'], [named('empty')]: ['presence'] });
      const { successCount, failureCount, results } = await client.batchPresence([named('here'), named('hidden'), named('empty')]);
      assert.deepEqual([successCount, failureCount], [2, 1]);
      const [here, hidden, empty] = results;
      assert.deepEqual([here.channel, here.presence.map(({ clientId, action }) => [clientId, action])], [named('here'), [['ann', 1]]]);
      assert.deepEqual([hidden.error.code, 'presence' in hidden], [40160, false]);
      assert.deepEqual(empty, { channel: named('empty'), presence: [] });
    });
  });
}

test('a batch is bounded, and a malformed one is refused whole', async () => {
  const names = Array.from({ length: 101 }, (_, i) => `many:${i}`);
  assert.equal(await codeOf(all.batchPublish({ channels: names, messages: [{ data: 'd' }] })), 40000);
  assert.equal(await codeOf(all.batchPublish([])), 40000);
  assert.equal(await codeOf(all.batchPublish({ channels: [7], messages: [{ data: 'd' }] })), 40001);
  assert.equal(await codeOf(all.batchPresence(names)), 40000);
  assert.equal(await codeOf(all.batchPresence([])), 40000);
  const { results } = await all.batchPublish({ channels: ['empty'], messages: [] });
  assert.equal(results[0].error.code, 40000);
  const tooLarge = await all.batchPublish({ channels: ['large'], messages: [{ data: 'x'.repeat(70_000) }] });
  assert.equal(tooLarge.results[0].error.code, 40009);
});

test('subscribers hear what a batch publishes', async (t) => {
  const subscriber = await connect(t, server);
  const heard = await listen(subscriber.channels.get('batch:heard'));
  await all.batchPublish({ channels: ['batch:heard', 'batch:other'], messages: [{ name: 'n', data: 'd' }] });
  await until(() => heard.length === 1, 'the message');
  assert.deepEqual([heard[0].name, heard[0].data], ['n', 'd']);
});
