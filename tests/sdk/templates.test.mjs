// Channels made of columns: each row goes to its own, exactly, over a kill -9 of everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, connect, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const settings = `
[[connector.tables]]
table = "chat_data"
channel = "room:{room}"
`;

test('rows go to the channel that their columns name, and a row that moves leaves one for another', async (t) => {
  const server = await startPalimpsest(t, { settings });
  const insert = (id, room) => server.psql(`INSERT INTO chat_data (msg_id, room, username, msg_data) VALUES ('${id}', '${room}', 'psql', 'x')`);
  const client = await connect(t, server);
  const gaps = [];
  const [a, b, quiet] = await Promise.all(['a', 'b', 'quiet'].map((room) => {
    const channel = client.channels.get(`room:${room}`);
    channel.on('update', ({ resumed, reason }) => resumed || gaps.push([room, reason]));
    return listen(channel);
  }));
  const told = (heard) => changes(heard).map(({ type, row }) => `${type} ${row.msg_id} ${row.room}`);
  await insert('1', 'a');
  await insert('2', 'b');
  await until(() => a.length === 1 && b.length === 1);
  client.channels.get('room:a').on('attached', ({ resumed }) => resumed || gaps.push('a'));
  client.channels.get('room:quiet').on('attached', ({ resumed }) => resumed || gaps.push('quiet'));
  await server.kill9();
  await server.start();
  await server.psql("UPDATE chat_data SET room = 'b' WHERE msg_id = '1'");
  await until(() => a.length === 2 && b.length === 2);
  assert.deepEqual(told(a), ['INSERT 1 a', 'DELETE 1 a']);
  assert.deepEqual(told(b), ['INSERT 2 b', 'INSERT 1 b']);
  assert.deepEqual(quiet, []);
  await until(() => client.channels.get('room:quiet').state === 'attached');
  assert.deepEqual(gaps, []);
});

test('tables are read anew at SIGHUP: one that is added is fed, what was fed before misses nothing', async (t) => {
  const server = await startPalimpsest(t, { settings });
  const client = await connect(t, server);
  const [room, orders] = await Promise.all(['room:a', 'orders'].map((name) => listen(client.channels.get(name))));
  await server.psql('CREATE TABLE public.orders (id int PRIMARY KEY)');
  const writing = (async () => {
    for (let n = 1; n <= 40; n++) await server.psql(`INSERT INTO chat_data (msg_id, room, username, msg_data) VALUES ('${n}', 'a', 'psql', 'x')`);
  })();
  await until(() => room.length > 3);
  await server.reload('tables = 1');
  await until(() => /at=reload_failed/.test(server.log()), 'a complaint');
  await server.reload(`${settings}\n[[connector.tables]]\ntable = "orders"\nchannel = "orders"\n`);
  await until(() => /at=publication_set .*orders/.test(server.log()), 'the new table', 30_000);
  await server.psql('INSERT INTO public.orders VALUES (1)');
  await writing;
  await until(() => room.length === 40 && orders.length === 1, 'all of both', 30_000);
  assert.deepEqual(changes(room).map(({ row }) => row.msg_id), Array.from({ length: 40 }, (_, i) => `${i + 1}`));
  assert.deepEqual(orders.map(({ data }) => JSON.parse(data).row.id), [1]);
});

test('a fed table that is made anew is fed again without a restart, and its subscribers are told of the gap', async (t) => {
  const server = await startPalimpsest(t, { settings: `${settings}\n[[connector.tables]]\ntable = "note"\nchannel = "notes"\n`, awaitReady: false });
  const client = await connect(t, server);
  const make = 'CREATE TABLE public.note (id int PRIMARY KEY, body text)';
  await until(() => /at=connector_down .*there is no table/.test(server.log()), 'the reason', 30_000);
  await server.psql(make);
  await until(async () => (await server.status('/readyz')) === 200, 'readiness', 30_000);
  const gaps = [];
  const [heard, room] = await Promise.all(['notes', 'room:a'].map((name) => listen(client.channels.get(name))));
  for (const name of ['notes', 'room:a']) client.channels.get(name).on('update', ({ resumed }) => resumed || gaps.push(name));
  await server.psql(`INSERT INTO public.note VALUES (1, 'before')`);
  await until(() => heard.length === 1, 'the first change');
  await server.psql(`DROP TABLE public.note; ${make}; INSERT INTO public.note VALUES (2, 'unheard')`);
  await until(() => gaps.length > 0, 'the gap', 30_000);
  await server.psql(`INSERT INTO public.note VALUES (3, 'after'); INSERT INTO chat_data (msg_id, room, username, msg_data) VALUES ('1', 'a', 'psql', 'x')`);
  await until(() => heard.length === 2 && room.length === 1, 'both changes', 30_000);
  assert.deepEqual(heard.map(({ data }) => JSON.parse(data).row.body), ['before', 'after']);
  assert.deepEqual(gaps, ['notes']);
  assert.equal(await server.status('/readyz'), 200);
});
