// RSL11–RSL15, TM5: messages that are updated, deleted and appended to, over realtime and REST, with Ably's SDK.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Ably, codeOf, connect, formats, options, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

/** A channel, and what its subscriber hears. */
async function listening(t, client, name = t.name, channelOptions) {
  const channel = client.channels.get(name, channelOptions);
  const heard = [];
  await channel.subscribe((message) => heard.push(message));
  return { channel, heard };
}

/** A token's client. */
async function restOf(clientId, capability) {
  const token = await new Ably.Rest(options(server)).auth.requestToken({ clientId, capability: JSON.stringify(capability) });
  return rest(server, { token });
}

for (const format of formats) {
  suite(format.name, () => {
    for (const over of ['realtime', 'REST']) {
      test(`a message is updated, appended to and deleted over ${over}`, async (t) => {
        const client = await connect(t, server, { ...format, clientId: 'ann' });
        const { channel, heard } = await listening(t, client, `${format.name}:${t.name}`);
        const changing = over === 'REST' ? rest(server, { ...format, clientId: 'ann' }).channels.get(channel.name) : channel;
        await channel.publish({ name: 'note', data: 'one', extras: { headers: { a: '1' } } });
        const { serial } = (await until(() => heard[0]));

        const updated = await changing.updateMessage({ serial, data: 'two' }, { description: 'typo', metadata: { by: 'hand' } });
        await changing.appendMessage({ serial, data: ' and a half' });
        await changing.deleteMessage({ serial, data: '' });
        await until(() => heard.length === 4);
        assert.deepEqual(heard.map(({ action, data, name }) => [action, data, name]), [
          ['message.create', 'one', 'note'], ['message.update', 'two', 'note'],
          ['message.append', ' and a half', 'note'], ['message.delete', '', 'note'],
        ]);
        assert.ok(heard.every((message) => message.serial === serial && message.timestamp === heard[0].timestamp));
        assert.equal(heard[1].version.serial, updated.versionSerial);
        assert.deepEqual([heard[1].version.clientId, heard[1].version.description, heard[1].version.metadata], ['ann', 'typo', { by: 'hand' }]);
        assert.deepEqual(heard[1].extras, { headers: { a: '1' } });
        const versions = heard.slice(1).map(({ version }) => version.serial);
        assert.deepEqual(versions, versions.toSorted());
        assert.ok(versions[0] > serial);

        const latest = await changing.getMessage(serial);
        assert.deepEqual([latest.action, latest.data, latest.version.serial], ['message.delete', '', versions[2]]);
        const all = [];
        for (let page = await changing.getMessageVersions(serial, { limit: 3, direction: 'forwards' }); page; page = await page.next()) {
          all.push(...page.items);
        }
        assert.deepEqual(all.map(({ action, data }) => [action, data]), [
          ['message.create', 'one'], ['message.update', 'two'], ['message.update', 'two and a half'], ['message.delete', ''],
        ]);
      });
    }

    test('who comes late sees each message as it is, once, where it was', async (t) => {
      const client = await connect(t, server, format);
      const { channel, heard } = await listening(t, client, `${format.name}:${t.name}`);
      await channel.publish([{ data: 'one' }, { data: { a: 1 } }]);
      await until(() => heard.length === 2);
      await channel.updateMessage({ serial: heard[0].serial, data: Buffer.from([1, 2, 255]) });
      const other = await connect(t, server, format);
      const late = await listening(t, other, channel.name, { params: { rewind: '10' } });
      await until(() => late.heard.length === 2);
      assert.deepEqual([late.heard[0].action, [...late.heard[0].data], late.heard[1].data], ['message.update', [1, 2, 255], { a: 1 }]);
      const { items } = await channel.history();
      assert.deepEqual(items.map(({ action }) => action), ['message.create', 'message.update']);
    });
  });
}

test('only who may changes a message: its author, or anybody who may change all', async (t) => {
  const channel = `rights:${t.name}`;
  const [ann, bob] = await Promise.all(['ann', 'bob'].map((clientId) =>
    restOf(clientId, { [channel]: ['publish', 'history', 'message-update-own', 'message-delete-own'] })));
  const { serials } = await ann.channels.get(channel).publish('n', 'mine');
  const serial = serials[0];
  const outcome = (promise) => promise.then(() => 'done', (error) => error.code);
  const codes = async (client) => [
    await outcome(client.channels.get(channel).updateMessage({ serial, data: 'x' })),
    await outcome(client.channels.get(channel).deleteMessage({ serial })),
  ];
  assert.deepEqual(await codes(bob), [40160, 40160]);
  assert.deepEqual(await codes(await restOf('carl', { [channel]: ['publish', 'history'] })), [40160, 40160]);
  assert.deepEqual(await codes(await restOf('carl', { [channel]: ['message-update-any'] })), ['done', 40160]);
  assert.deepEqual(await codes(ann), ['done', 'done']);
  assert.equal(await codeOf(ann.channels.get(channel).updateMessage({ serial, data: 'x' }, { clientId: 'bob' })), 40012);
});

test('a change of what another has changed is refused with the current version, when it says which one it is of', async (t) => {
  const channel = rest(server).channels.get(t.name);
  const { serials: [serial] } = await channel.publish('n', 'one');
  const first = await channel.updateMessage({ serial, data: 'two' }, { metadata: { expectedVersion: serial } });
  const refused = await channel.updateMessage({ serial, data: 'three' }, { metadata: { expectedVersion: serial } }).catch((error) => error);
  assert.deepEqual([refused.code, refused.statusCode], [40900, 409]);
  assert.ok(refused.message.includes(first.versionSerial), refused.message);

  const url = `${server.origin}/channels/${encodeURIComponent(t.name)}/messages/${encodeURIComponent(serial)}`;
  const headers = { authorization: `Basic ${btoa(server.key)}`, 'content-type': 'application/json' };
  const patch = (version) => fetch(url, { method: 'PATCH', headers: { ...headers, 'if-match': version }, body: '{"data":"three"}' });
  const etag = (await fetch(url, { headers })).headers.get('etag');
  assert.equal(etag, `"${first.versionSerial}"`);
  assert.equal((await patch(`"${serial}"`)).status, 409);
  const changed = await patch(etag);
  assert.equal(changed.status, 200);
  assert.equal(changed.headers.get('etag'), `"${(await changed.json()).versionSerial}"`);
  assert.equal((await channel.getMessage(serial)).data, 'three');
});

test('what is not there, or cannot be, is refused in both formats over both', async (t) => {
  for (const format of formats) {
    const client = await connect(t, server, { ...format, clientId: 'ann' });
    for (const channel of [client.channels.get(t.name), rest(server, format).channels.get(t.name)]) {
      assert.equal(await codeOf(channel.updateMessage({ serial: 'none', data: 'x' })), 40400);
      const { serials: [serial] } = await channel.publish('n', 'text');
      assert.equal(await codeOf(channel.appendMessage({ serial, data: { an: 'object' } })), 40013);
      assert.equal(await codeOf(channel.appendMessage({ serial, data: 'x'.repeat(65_536) })), 40009);
      assert.equal(await codeOf(channel.getMessage('none')), 40400);
    }
  }
});

test('appendMode=full gives the whole message for each append', async (t) => {
  const client = await connect(t, server), reader = await connect(t, server);
  const { heard } = await listening(t, client, t.name);
  const whole = [];
  await reader.channels.get(t.name, { params: { appendMode: 'full' } }).subscribe((message) => whole.push([message.action, message.data]));
  const { serials: [serial] } = await client.channels.get(t.name).publish('n', 'a');
  for (const data of ['b', 'c']) await client.channels.get(t.name).appendMessage({ serial, data });
  await until(() => whole.length === 3 && heard.length === 3, 'what was appended');
  assert.deepEqual(heard.map(({ data }) => data), ['a', 'b', 'c']);
  assert.deepEqual(whole, [['message.create', 'a'], ['message.update', 'ab'], ['message.update', 'abc']]);
});

test('appendRollupWindow: appends of one message within it leave as one', async (t) => {
  const writer = await connect(t, server, { transportParams: { appendRollupWindow: 500 } }), reader = await connect(t, server);
  const { channel, heard } = await listening(t, reader, t.name);
  const { serials: [serial] } = await writer.channels.get(t.name).publish('n', '');
  const began = Date.now();
  const done = await within(Promise.all(Array.from('0123456789', (data) => writer.channels.get(t.name).appendMessage({ serial, data }))), 'every ACK');
  await until(() => heard.length === 3, 'the appends');
  assert.deepEqual(heard.map(({ action, data }) => [action, data]), [['message.create', ''], ['message.append', '0'], ['message.append', '123456789']]);
  assert.ok(Date.now() - began >= 400);
  assert.equal(new Set(done.map(({ versionSerial }) => versionSerial)).size, 2);
  assert.equal((await channel.getMessage(serial)).data, '0123456789');
});

test('two who append at once both have their say', async (t) => {
  const clients = await Promise.all([connect(t, server), connect(t, server)]);
  const channels = clients.map((client) => client.channels.get(t.name));
  const { serials: [serial] } = await channels[0].publish('n', '');
  await Promise.all(Array.from({ length: 100 }, (_, i) => channels[i % 2].appendMessage({ serial, data: `${i},` })));
  const { data } = await channels[0].getMessage(serial);
  assert.deepEqual(data.split(',').slice(0, -1).map(Number).toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
});
