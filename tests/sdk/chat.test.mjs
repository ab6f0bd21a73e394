// The way of one message: published, written by the function, told by the connector.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { Ably, change, changes, codeOf, connect, formats, listen, options } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after });

/** A client that hears every change, and publishes as `clientId`. */
async function chatter(t, clientId, format) {
  const client = await connect(t, server, { clientId, ...format });
  const heard = await listen(client.channels.get('incoming-chat'));
  const refusals = await listen(client.channels.get(`chat-errors:${clientId}`));
  const outgoing = client.channels.get('outgoing-chat');
  const publish = (name, data, id = randomUUID()) => within(outgoing.publish({ id, name, data }).then(() => id), `${name} to be acknowledged`);
  const changesOf = (msgId) => changes(heard).filter(({ row }) => row.msg_id === msgId);
  return {
    client,
    heard,
    refusals,
    publish,
    changesOf,
    /** Sends a message and gives its msg_id once its INSERT is heard. */
    async say(content) {
      const msgId = randomUUID();
      await publish('chatMsg', { username: clientId, content }, msgId);
      await until(() => changesOf(msgId).length, 'the INSERT');
      return msgId;
    },
  };
}

const rowOf = async (msgId) => (await server.rows()).find((row) => row.msg_id === msgId);

for (const format of formats) {
  suite(format.name, () => {
    test('a published message becomes a row, and its INSERT carries the whole row', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const before = Date.now();
      const msgId = await ada.say('hello');
      const [{ type, row }] = ada.changesOf(msgId);
      const { id, created_at_timestamp: at, ...rest } = row;
      assert.equal(type, 'INSERT');
      assert.deepEqual(rest, {
        msg_id: msgId, room: 'main', username: 'ada', client_id: 'ada', msg_data: 'hello', is_edited: false, edited_at: null, edit_id: null,
      });
      assert.ok(Number.isInteger(id) && at >= before - 1000 && at <= Date.now() + 1000, JSON.stringify(row));
      assert.deepEqual(await rowOf(msgId), row);
    });

    test('an edit is an UPDATE of the row, marked as edited, and the earlier text is kept', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const msgId = await ada.say('first');
      const editId = await ada.publish('editedMsg', { msgIdToEdit: msgId, content: 'second' });
      const [, update] = await until(() => ada.changesOf(msgId).length === 2 && ada.changesOf(msgId), 'the UPDATE');
      assert.equal(update.type, 'UPDATE');
      assert.deepEqual({ ...update.row, edited_at: null }, { ...ada.changesOf(msgId)[0].row, msg_data: 'second', is_edited: true, edit_id: editId });
      assert.ok(Date.parse(update.row.edited_at), update.row.edited_at);
      const { msg_id, versions } = await server.getJson(`/api/messages/${msgId}/versions`);
      assert.equal(msg_id, msgId);
      assert.deepEqual(versions.map(({ version, msg_data }) => [version, msg_data]), [[1, 'first'], [2, 'second']]);
    });

    test('a delete takes the row and its versions, and tells what it was', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const msgId = await ada.say('soon gone');
      await ada.publish('deletedMsg', { msgIdToDelete: msgId });
      const [insert, remove] = await until(() => ada.changesOf(msgId).length === 2 && ada.changesOf(msgId), 'the DELETE');
      assert.deepEqual(remove, { type: 'DELETE', row: insert.row });
      assert.equal(await rowOf(msgId), undefined);
      assert.equal(await server.status(`/api/messages/${msgId}/versions`), 404);
    });

    test('somebody else’s message cannot be edited or deleted, and only who tried is told', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const eve = await chatter(t, 'eve', format);
      const msgId = await ada.say('mine');
      const row = await rowOf(msgId);
      const ids = [randomUUID(), randomUUID()];
      await eve.publish('editedMsg', { msgIdToEdit: msgId, content: 'yours?' }, ids[0]);
      await eve.publish('deletedMsg', { msgIdToDelete: msgId }, ids[1]);
      await until(() => eve.refusals.length === 2, 'two refusals');
      assert.deepEqual(
        eve.refusals.map(({ name, data }) => [name, data.name, data.messageId, typeof data.code, typeof data.reason]),
        [['refused', 'editedMsg', ids[0], 'number', 'string'], ['refused', 'deletedMsg', ids[1], 'number', 'string']],
      );
      assert.deepEqual(await rowOf(msgId), row);
      await ada.say('a later message');
      assert.deepEqual(ada.refusals, []);
      assert.equal(ada.changesOf(msgId).length, 1);
    });

    test('a message published again with its id is one row and one change', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const msgId = await ada.say('once');
      await ada.publish('chatMsg', { username: 'ada', content: 'once' }, msgId);
      await ada.say('a later message');
      assert.equal(ada.changesOf(msgId).length, 1);
      assert.equal((await server.psql(`SELECT 1 FROM chat_data WHERE msg_id = '${msgId}'`)).length, 1);
    });

    test('an edit published again with its id is made once, also when somebody edited since', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const msgId = await ada.say('first');
      const editId = await ada.publish('editedMsg', { msgIdToEdit: msgId, content: 'second' });
      await ada.publish('editedMsg', { msgIdToEdit: msgId, content: 'third' });
      await ada.publish('editedMsg', { msgIdToEdit: msgId, content: 'second' }, editId);
      await ada.say('a later message');
      assert.deepEqual(ada.changesOf(msgId).map(({ row }) => row.msg_data), ['first', 'second', 'third']);
    });

    test('text is text: SQL, markup, quotes, backslashes and any script go in and come out as they are', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const texts = [
        `'; DROP TABLE chat_data; --`, `$1 $$ $body$ %s {0}`, `<img src=x onerror=alert(1)>`, `back\\slash \\n "quoted" \`tick\``,
        'Ünïcödé 漢字 עברית 👩‍👩‍👧‍👦', 'line one\nline two\ttabbed', '\u0001\u001f\u007f\u2028\u2029', ' spaces ',
      ];
      for (const text of texts) {
        const msgId = await ada.say(text);
        assert.equal(ada.changesOf(msgId)[0].row.msg_data, text);
        assert.equal((await rowOf(msgId)).msg_data, text);
      }
    });

    test('what cannot be written is refused, and told', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const mine = await ada.say('seen');
      const wrong = [
        ['chatMsg', { username: 'ada' }], ['chatMsg', { username: 'ada', content: '' }], ['chatMsg', { username: 'ada', content: 7 }],
        ['chatMsg', { username: 'ada', content: 'NUL \u0000 inside' }], ['chatMsg', { username: 'x'.repeat(101), content: 'a' }],
        ['chatMsg', { username: 'ada', content: 'x'.repeat(33_000) }], ['chatMsg', 'no object'], ['chatMsg', [1]],
        ['chatMsg', { username: 'ada', content: '\u200b' }], ['chatMsg', { username: '\u2800\u3164', content: 'a' }],
        ['editedMsg', { msgIdToEdit: mine, content: '\u202e' }],
        ['editedMsg', { content: 'of what?' }], ['editedMsg', { msgIdToEdit: 'nothing has this id', content: 'a' }], ['deletedMsg', {}],
      ];
      const rows = await server.rows();
      const ids = [];
      for (const [name, data] of wrong) {
        ids.push(randomUUID());
        await ada.publish(name, data, ids.at(-1));
      }
      await until(() => ada.refusals.length === wrong.length, 'every refusal');
      assert.deepEqual(ada.refusals.map(({ data }) => [data.messageId, data.name]), wrong.map(([name], i) => [ids[i], name]));
      assert.deepEqual(await server.rows(), rows);

      await ada.publish(...wrong[0], ids[0]);  // again, under the same id: an ACK alone would look like success
      await until(() => ada.refusals.length === wrong.length + 1, 'the refusal again');
      assert.equal(ada.refusals.at(-1).data.messageId, ids[0]);
    });

    test('what somebody does in psql is heard live, original SQL included', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const msgId = randomUUID();
      const at = Date.now();
      await server.psql(
        `INSERT INTO chat_data(username, msg_id, msg_data, client_id, created_at_timestamp) VALUES('psql', '${msgId}', 'typed', 'x', ${at})`,
      );
      await server.psql(`UPDATE chat_data SET msg_data='retyped', is_edited=true WHERE msg_id='${msgId}'`);
      await server.psql(`DELETE FROM chat_data WHERE msg_id='${msgId}'`);
      await until(() => ada.changesOf(msgId).length === 3, 'three changes');
      assert.deepEqual(
        ada.changesOf(msgId).map(({ type, row }) => [type, row.msg_data, row.is_edited, row.created_at_timestamp]),
        [['INSERT', 'typed', false, at], ['UPDATE', 'retyped', true, at], ['DELETE', 'retyped', true, at]],
      );
    });

    test('a transaction is told when it commits, in its order, and a rolled back one never', async (t) => {
      const ada = await chatter(t, 'ada', format);
      const insert = (msgId) => `INSERT INTO chat_data(username, msg_id, msg_data) VALUES('psql', '${msgId}', 'x');`;
      const ids = [randomUUID(), randomUUID(), randomUUID()];
      await server.psql(`BEGIN; ${insert(ids[0])} ROLLBACK; BEGIN; ${insert(ids[2])} ${insert(ids[1])} COMMIT;`);
      await until(() => ada.changesOf(ids[1]).length, 'the transaction');
      assert.deepEqual(changes(ada.heard).map(({ row }) => row.msg_id), [ids[2], ids[1]]);
    });
  });
}

test('one change is the same message to a JSON and a MessagePack subscriber', async (t) => {
  const [json, msgpack] = [await chatter(t, 'json', formats[0]), await chatter(t, 'msgpack', formats[1])];
  const msgId = await json.say('the same');
  await until(() => msgpack.changesOf(msgId).length, 'the change');
  const facts = ({ id, name, data, timestamp }) => ({ id, name, data, timestamp });
  assert.deepEqual(facts(json.heard.at(-1)), facts(msgpack.heard.at(-1)));
  assert.equal(json.heard.at(-1).name, change);
});

test('a client without an id may not write, and is told by the NACK or not at all', async (t) => {
  const anonymous = await connect(t, server);
  const rows = await server.rows();
  await anonymous.channels.get('outgoing-chat').publish('chatMsg', { username: 'nobody', content: 'hello' }).catch(() => {});
  const ada = await chatter(t, 'ada', formats[0]);
  const msgId = await ada.say('after it');
  assert.deepEqual((await server.rows()).filter((row) => row.msg_id !== msgId), rows);
});

test('REST publishing goes the same way', async (t) => {
  const ada = await chatter(t, 'ada', formats[0]);
  const id = randomUUID();
  const response = await fetch(`${server.origin}/channels/outgoing-chat/messages`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(server.key)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id, name: 'chatMsg', clientId: 'ada', data: JSON.stringify({ username: 'ada', content: 'by REST' }), encoding: 'json' }),
  });
  assert.equal(response.status, 201);
  await until(() => ada.changesOf(id).length, 'the INSERT');
});

test('pages of messages go back to the beginning without a gap', async (t) => {
  const ada = await chatter(t, 'ada', formats[0]);
  await server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) SELECT 'bulk', 'bulk-' || n, n FROM generate_series(1, 120) n`);
  await until(() => ada.changesOf('bulk-120').length, 'the last INSERT');
  const ids = [];
  for (let before = null, pages = 0; pages === 0 || before !== null; pages++) {
    const page = await server.getJson(`/api/messages?room=main&limit=50${before === null ? '' : `&before=${before}`}`);
    assert.ok(page.messages.length <= 50);
    ids.unshift(...page.messages.map(({ id }) => id));
    before = page.before;
  }
  assert.deepEqual(ids, (await server.rows()).map(({ id }) => id));
  assert.deepEqual((await server.getJson('/api/messages?room=nowhere')), { messages: [], before: null });
  for (const bad of ['before=x', 'limit=0', 'limit=-1', 'before=1;SELECT 1']) assert.equal(await server.status(`/api/messages?${bad}`), 400, bad);
});

suite('who may read', () => {
  const capability = (rooms) => JSON.stringify({ 'outgoing-chat': ['publish'], ...rooms });
  const start = async (t, rooms, channel) => {
    const tables = channel ? `[[connector.tables]]\ntable = "chat_data"\nchannel = "${channel}"\n` : '';
    const started = await startPalimpsest(t, { settings: `[auth]\ncapability = '${capability(rooms)}'\n${tables}` });
    await started.psql(`INSERT INTO chat_data(username, room, msg_id, msg_data) VALUES ('x', 'main', 'm', 'hi'), ('x', 'tea', 't', 'hi')`);
    /** [status, code of the error] of what `path` answers with these headers. */
    const ask = async (path, headers = {}) => {
      const response = await fetch(started.origin + path, { headers });
      return [response.status, (await response.json()).error?.code];
    };
    return { server: started, ask };
  };
  const paths = ['/api/messages', '/api/messages?room=tea', '/api/messages/m/versions', '/api/messages/t/versions'];
  const yes = [200, undefined], no = [401, 40160];

  test('a browser needs what its token would need', async (t) => {
    const { server: here, ask } = await start(t, { 'incoming-chat': ['subscribe'] });
    const cookie = (await fetch(`${here.origin}/auth`)).headers.get('set-cookie').split(';')[0];
    for (const path of paths) {
      assert.deepEqual(await ask(path), no, path);
      assert.deepEqual(await ask(path, { cookie }), no, path);
    }
  });

  test('the capability of a key or token counts, whatever browsers get', async (t) => {
    const { server: here, ask } = await start(t, { 'incoming-chat': ['subscribe', 'history'] });
    const token = async (granted) => {
      const { token: text } = await new Ably.Rest(options(here)).auth.requestToken({ clientId: 'ada', capability: granted });
      return { authorization: `Bearer ${btoa(text)}` };
    };
    const [reader, other] = [await token({ 'incoming-chat': ['history'] }), await token({ 'incoming-chat': ['subscribe'], tea: ['history'] })];
    for (const path of paths) {
      assert.deepEqual(await ask(path), yes, path);
      assert.deepEqual(await ask(path, reader), yes, path);
      assert.deepEqual(await ask(path, other), no, path);
      assert.deepEqual(await ask(path, { authorization: `Basic ${btoa(here.key)}` }), yes, path);
      assert.equal((await ask(path, { authorization: `Basic ${btoa(`${here.key}x`)}` }))[0], 401, path);
      assert.equal((await ask(path, { authorization: 'Bearer nonsense' }))[0], 401, path);
    }
  });

  test('a room with a channel of its own is read with the history of that one', async (t) => {
    const { ask } = await start(t, { 'room:tea': ['history'] }, 'room:{room}');
    assert.deepEqual(await Promise.all(paths.map((path) => ask(path))), [no, yes, no, yes]);
  });
});

test('a message too large is refused before it is written', async (t) => {
  const ada = await chatter(t, 'ada', formats[0]);
  const outgoing = ada.client.channels.get('outgoing-chat');
  assert.equal(await codeOf(outgoing.publish('chatMsg', { username: 'ada', content: 'x'.repeat(70_000) })), 40009);
});
