// palimpsest.publish(): a message from SQL, when its transaction commits.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect, formats, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });

for (const format of formats) {
  test(`a message that SQL publishes has its name, data and extras, in ${format.name}`, async (t) => {
    const client = await connect(t, server, format);
    const heard = await listen(client.channels.get(`jobs:${format.name}`));
    await server.psql(`SELECT palimpsest.publish('jobs:${format.name}', 'done', '{"id": 7, "tags": ["a"]}', '{"headers": {"k": "v"}}');
                       SELECT palimpsest.publish('jobs:${format.name}', 'said', '"a text"');
                       SELECT palimpsest.publish('jobs:${format.name}', 'empty', NULL);`);
    await until(() => heard.length === 3);
    assert.deepEqual(heard.map(({ name, data }) => [name, data ?? null]), [['done', { id: 7, tags: ['a'] }], ['said', 'a text'], ['empty', null]]);
    assert.deepEqual(heard[0].extras, { headers: { k: 'v' } });
  });
}

test('what is rolled back is never heard, and what is committed is in its place among the changes', async (t) => {
  const client = await connect(t, server);
  const heard = await listen(client.channels.get('incoming-chat'));
  await server.psql(`
    BEGIN; SELECT palimpsest.publish('incoming-chat', 'sql', '"never"'); ROLLBACK;
    BEGIN;
    INSERT INTO chat_data (msg_id, username, msg_data) VALUES ('sql-1', 'psql', 'x');
    SELECT palimpsest.publish('incoming-chat', 'sql', '"between"');
    INSERT INTO chat_data (msg_id, username, msg_data) VALUES ('sql-2', 'psql', 'x');
    COMMIT;`);
  await until(() => heard.length === 3);
  assert.deepEqual(heard.map(({ data }) => (data === 'between' ? data : JSON.parse(data).row.msg_id)), ['sql-1', 'between', 'sql-2']);
});

test('who resumes after a kill -9 has missed nothing, though the channel is in no configuration', async (t) => {
  const client = await connect(t, server);
  const channel = client.channels.get('ad-hoc');
  const heard = await listen(channel);
  await server.psql(`SELECT palimpsest.publish('ad-hoc', 'n', '1')`);
  await until(() => heard.length === 1);
  const gaps = [];
  channel.on(['attached', 'update'], ({ resumed }) => resumed || gaps.push('gap'));
  await server.kill9();
  await server.start();
  await server.psql(`SELECT palimpsest.publish('ad-hoc', 'n', '2')`);
  await until(() => heard.length === 2);
  assert.deepEqual(heard.map(({ data }) => data), [1, 2]);
  assert.deepEqual(gaps, []);
});
