// RSL1, TM2h: who publishes what over REST, and under which ids.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codeOf, connect, formats, listen, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const client = rest(server);

for (const format of formats) {
  test(`a message with a connectionKey is that connection's (${format.name})`, async (t) => {
    const name = `behalf:${format.name}`;
    const ann = await connect(t, server, { clientId: 'ann', echoMessages: false, ...format });
    const bob = await connect(t, server, format);
    const heardByAnn = await listen(ann.channels.get(name));
    const heardByBob = await listen(bob.channels.get(name));
    const { connectionKey } = ann.connection.connectionManager.connectionDetails;
    await rest(server, format).channels.get(name).publish({ name: 'n', data: 'for ann', connectionKey });
    await client.channels.get(name).publish('n', 'for nobody');
    await until(() => heardByBob.length === 2 && heardByAnn.length > 0, 'both messages');
    const [{ connectionId, clientId, connectionKey: leaked }] = heardByBob;
    assert.deepEqual([connectionId, clientId, leaked], [ann.connection.id, 'ann', undefined]);
    assert.deepEqual(heardByAnn.map(({ data }) => data), ['for nobody']);
    const { items } = await client.channels.get(name).history();
    assert.deepEqual([items[1].connectionId, items[1].clientId], [ann.connection.id, 'ann']);
  });
}

test('only who may be a connection’s client publishes for it, while it lives', async (t) => {
  const ann = await connect(t, server, { clientId: 'ann' });
  const { connectionKey } = ann.connection.connectionManager.connectionDetails;
  const as = async (params) => rest(server, { token: (await client.auth.requestToken(params)).token }).channels.get('whose');
  const publish = (channel, more = {}) => channel.publish({ name: 'n', data: 'd', connectionKey, ...more });
  assert.equal(await codeOf(publish(await as({ clientId: 'bob' }))), 40012);
  assert.equal(await codeOf(publish(client.channels.get('whose'), { clientId: 'bob' })), 40012);
  assert.equal(await codeOf(publish(client.channels.get('whose'), { connectionKey: `${connectionKey}x` })), 40006);
  assert.equal(await codeOf(client.channels.get('whose').publish([{ data: '1', connectionKey }, { data: '2' }])), 40000);
  await publish(await as({ clientId: 'ann' }));
  await publish(await as({ clientId: '*' }));
  ann.close();
  await within(ann.connection.whenState('closed'), 'the goodbye');
  // The SDK is closed once its CLOSE is on its way; the server hears of it when it comes.
  await until(() => codeOf(publish(client.channels.get('meanwhile'))).then((code) => code === 40006), 'the server to know');
  assert.equal(await codeOf(publish(client.channels.get('whose'))), 40006);
  assert.equal((await client.channels.get('whose').history()).items.length, 2);
});

test('RSL1k2: ids of messages published together have one base, and nobody takes another connection’s', async (t) => {
  const plain = rest(server, { idempotentRestPublishing: false }).channels.get('ids');
  const publish = (...ids) => plain.publish(ids.map((id) => (id ? { id, data: 'd' } : { data: 'd' })));
  for (let i = 0; i < 2; i++) await publish('base:0', 'base:1');
  assert.deepEqual((await plain.history({ direction: 'forwards' })).items.map(({ id }) => id), ['base:0', 'base:1']);
  assert.equal(await codeOf(publish('a:0', '')), 40031);
  assert.equal(await codeOf(publish('a:0', 'b:1')), 40031);
  assert.equal(await codeOf(publish('a:1', 'a:2')), 40031);

  const ann = await connect(t, server, { clientId: 'ann' });
  const bob = await connect(t, server, { clientId: 'bob' });
  const id = `${ann.connection.id}:9:0`;
  assert.equal(await codeOf(publish(id)), 40031);
  assert.equal(await codeOf(bob.channels.get('ids').publish({ id, data: 'd' })), 40031);
  await ann.channels.get('ids').publish({ id, data: 'd' });
});

test('a publish says what it was given', async () => {
  const { statusCode, items } = await client.request('POST', '/channels/given/messages', 6, {}, [{ data: '1' }, { data: '2' }]);
  assert.equal(statusCode, 201);
  const [{ channel, messageId, serials }] = items;
  const history = (await client.channels.get('given').history({ direction: 'forwards' })).items;
  assert.deepEqual([channel, history.map(({ id }) => id), history.map(({ serial }) => serial)], ['given', [`${messageId}:0`, `${messageId}:1`], serials]);
  assert.equal((await client.request('POST', '/channels/given/messages', 6, {}, [])).errorCode, 40000);
});

test('a version that is none is refused, and a later one is taken for ours', async () => {
  const status = async (version) => (await fetch(`${server.origin}/time`, { headers: { 'X-Ably-Version': version } })).status;
  assert.deepEqual([await status('6'), await status('1.2'), await status('150'), await status('six')], [200, 200, 200, 400]);
});
