// Who is there: RTP, as Ably's SDK sees it.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, dropTransport, formats } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });
const facts = ({ action, clientId, data }) => [action, clientId, data];

/** Everything presence says on a channel. */
async function watching(t, name, format) {
  const client = await connect(t, server, { clientId: 'watcher', ...format });
  const channel = client.channels.get(name);
  const heard = [];
  await within(channel.presence.subscribe((message) => heard.push(facts(message))), 'the attachment');
  return { client, channel, heard, hears: (count) => until(() => heard.length >= count, `${count} presence events`) };
}

for (const format of formats) {
  suite(format.name, () => {
    test('enter, update and leave are told to others, with their data', async (t) => {
      const name = `events:${format.name}`;
      const { heard, hears, channel } = await watching(t, name, format);
      const { presence } = (await connect(t, server, { clientId: 'ada', ...format })).channels.get(name);
      await presence.enter({ username: 'Ada' });
      await presence.update({ username: 'Ada L.' });
      await hears(2);
      assert.deepEqual((await channel.presence.get()).map(facts), [['present', 'ada', { username: 'Ada L.' }]]);
      await presence.leave();
      await hears(3);
      assert.deepEqual(heard, [
        ['enter', 'ada', { username: 'Ada' }], ['update', 'ada', { username: 'Ada L.' }], ['leave', 'ada', { username: 'Ada L.' }],
      ]);
      assert.deepEqual(await channel.presence.get(), []);
    });

    test('who attaches later is told who is there, however many', async (t) => {
      const name = `sync:${format.name}`;
      const client = await connect(t, server, { ...format });
      const { presence } = client.channels.get(name);
      const ids = Array.from({ length: 250 }, (_, i) => `member-${String(i).padStart(3, '0')}`);
      await Promise.all(ids.map((id) => presence.enterClient(id, id)));
      const { channel } = await watching(t, name, format);
      const members = await within(channel.presence.get(), 'the sync');
      assert.deepEqual(members.map((member) => member.clientId).sort(), ids);
    });

    test('a member is gone when its connection is closed', async (t) => {
      const name = `closed:${format.name}`;
      const { heard, hears } = await watching(t, name, format);
      const client = await connect(t, server, { clientId: 'ada', ...format });
      await client.channels.get(name).presence.enter('here');
      client.close();
      await hears(2);
      assert.deepEqual(heard, [['enter', 'ada', 'here'], ['leave', 'ada', 'here']]);
    });

    test('a member whose connection breaks and comes back in time has never left', async (t) => {
      const name = `dropped:${format.name}`;
      const { heard, channel } = await watching(t, name, format);
      const client = await connect(t, server, { clientId: 'ada', ...format });
      await client.channels.get(name).presence.enter('here');
      const back = new Promise((resolve) => client.connection.once('disconnected', () => client.connection.once('connected', resolve)));
      dropTransport(client);
      await within(back, 'the connection to come back');
      await client.channels.get(name).presence.update('still here');
      await until(() => heard.at(-1)?.[0] === 'update', 'the update');
      assert.deepEqual(heard.filter(([action]) => action === 'leave'), []);
      assert.deepEqual((await channel.presence.get()).map(facts), [['present', 'ada', 'still here']]);
    });
  });
}

test('a member whose connection is lost for good leaves, for those who saw it come and those who found it there', async (t) => {
  const early = await watching(t, 'lost', formats[0]);
  const client = await connectRaw(t, server, { clientId: 'ada' });
  await client.next(ACTION.connected);
  client.send({ action: ACTION.attach, channel: 'lost' });
  await client.next(ACTION.attached);
  client.send({ action: ACTION.presence, channel: 'lost', msgSerial: 0, presence: [{ action: 2, data: 'here' }] });
  await early.hears(1);
  const late = await watching(t, 'lost', formats[1]);
  assert.deepEqual((await late.channel.presence.get()).map(facts), [['present', 'ada', 'here']]);
  client.vanish();
  await until(() => early.heard.at(-1)[0] === 'leave', 'the leave', 40_000);
  await until(() => late.heard.at(-1)[0] === 'leave', 'the leave for those who came late');
  assert.deepEqual(early.heard, [['enter', 'ada', 'here'], ['leave', 'ada', 'here']]);
  for (const { channel } of [early, late]) assert.deepEqual(await channel.presence.get(), []);
});

test('one client on two connections is two members', async (t) => {
  const { channel, hears } = await watching(t, 'two', formats[0]);
  const clients = [await connect(t, server, { clientId: 'ada' }), await connect(t, server, { clientId: 'ada' })];
  for (const client of clients) await client.channels.get('two').presence.enter();
  await hears(2);
  const members = await channel.presence.get();
  assert.deepEqual(members.map(({ connectionId }) => connectionId).sort(), clients.map(({ connection }) => connection.id).sort());
});

test('nobody enters as somebody else, or as nobody', async (t) => {
  const { presence } = (await connect(t, server, { clientId: 'ada' })).channels.get('who');
  assert.equal(await codeOf(presence.enterClient('eve')), 40012);
  const anonymous = await connect(t, server);
  const code = await anonymous.channels.get('who').presence.enter().then(() => 0, (error) => error.code);
  assert.ok([40012, 91000].includes(code), String(code));
});
