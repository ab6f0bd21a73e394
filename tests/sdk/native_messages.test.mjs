// Rows as messages: plain SQL makes, changes and deletes them, and an SDK hears message.create, message.update and message.delete of
// one serial, with no code of anybody's.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const settings = `
[[connector.tables]]
table = "chat_data"
channel = "messages:{room}"
columns = ["msg_id", "room", "msg_data"]
payload = "message"
`;
const server = await startPalimpsest({ after }, { settings });
const insert = (id, room, text = 'x') =>
  server.psql(`INSERT INTO chat_data (msg_id, room, username, msg_data) VALUES ('${id}', '${room}', 'psql', '${text}')`);
const told = (messages) => messages.map(({ action, data }) => `${action} ${data.msg_data}`);

for (const format of formats) {
  test(`an UPDATE of a row is an update of its message, in ${format.name}`, async (t) => {
    const room = `update-${format.name}`;
    const client = await connect(t, server, format);
    const heard = await listen(client.channels.get(`messages:${room}`));
    await insert(room, room, 'one');
    await server.psql(`UPDATE chat_data SET msg_data = 'two' WHERE msg_id = '${room}'`);
    await server.psql(`DELETE FROM chat_data WHERE msg_id = '${room}'`);
    await until(() => heard.length === 3);
    assert.deepEqual(told(heard), ['message.create one', 'message.update two', 'message.delete two']);
    assert.equal(new Set(heard.map(({ serial }) => serial)).size, 1);
    assert.deepEqual(heard[0].data, { msg_id: room, room, msg_data: 'one' });
    assert.equal(heard[0].name, 'chat_data');
    assert.ok(heard.every(({ timestamp }) => timestamp === heard[0].timestamp));
    const versions = heard.map(({ version }) => version.serial);
    assert.deepEqual(versions, versions.toSorted());
    assert.equal(new Set(versions).size, 3);
  });
}

test('who comes late has each row as it is, and can ask what it was', async (t) => {
  await insert('late-1', 'late', 'one');
  await insert('late-2', 'late', 'two');
  await server.psql("UPDATE chat_data SET msg_data = 'ein' WHERE msg_id = 'late-1'");
  const client = await connect(t, server);
  const channel = client.channels.get('messages:late', { params: { rewind: '10' } });
  const heard = await listen(channel);
  await until(() => heard.length === 2);
  assert.deepEqual(told(heard), ['message.update ein', 'message.create two']);
  const latest = await channel.getMessage(heard[0].serial);
  assert.equal(latest.data.msg_data, 'ein');
  const { items } = await channel.getMessageVersions(heard[0].serial);
  assert.deepEqual(items.map(({ data }) => data.msg_data).toSorted(), ['ein', 'one']);
  assert.deepEqual(told((await channel.history()).items), ['message.create two', 'message.update ein']);
});

test('an update long after a restart still finds the message', async (t) => {
  const client = await connect(t, server);
  const heard = await listen(client.channels.get('messages:restart'));
  const gaps = [];
  client.channels.get('messages:restart').on(['attached', 'update'], ({ resumed }) => resumed || gaps.push('gap'));
  await insert('restart-1', 'restart', 'one');
  await until(() => heard.length === 1);
  await server.kill9();
  await server.start();
  await server.psql("UPDATE chat_data SET msg_data = 'two' WHERE msg_id = 'restart-1'");
  await until(() => heard.length === 2);
  assert.deepEqual(told(heard), ['message.create one', 'message.update two']);
  assert.equal(heard[1].serial, heard[0].serial);
  assert.deepEqual(gaps, []);
});

test('a row that moves is deleted where it was and created where it is', async (t) => {
  const client = await connect(t, server);
  const [here, there] = await Promise.all(['here', 'there'].map((room) => listen(client.channels.get(`messages:${room}`))));
  await insert('mover', 'here', 'x');
  await server.psql("UPDATE chat_data SET room = 'there' WHERE msg_id = 'mover'");
  await server.psql("UPDATE chat_data SET msg_data = 'y' WHERE msg_id = 'mover'");
  await until(() => here.length === 2 && there.length === 2);
  assert.deepEqual(told(here), ['message.create x', 'message.delete x']);
  assert.deepEqual(told(there), ['message.create x', 'message.update y']);
});
