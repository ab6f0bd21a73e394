import assert from 'node:assert/strict';
import test from 'node:test';
import { conversation, grouped, toMillis, withGone } from './conversation.js';

const me = { clientId: 'me', name: 'Ada' };
const row = (msg_id, client_id, fields = {}) => ({
  msg_id, client_id, username: client_id, msg_data: 'text', created_at_timestamp: 1000, is_edited: false, ...fields,
});

test('a row becomes a message; one’s own are known by the client id', () => {
  assert.deepEqual(conversation([row('a', 'me'), row('b', null, { username: 'psql', is_edited: true })], [], me), [
    { id: 'a', author: 'me', username: 'me', text: 'text', at: 1000, edited: false, own: true, status: '' },
    { id: 'b', author: 'psql', username: 'psql', text: 'text', at: 1000, edited: true, own: false, status: '' },
  ]);
});

test('changes under way are laid over the rows, new messages stand at the end', () => {
  const entries = [
    { id: '1', kind: 'edit', target: 'a', text: 'first try', at: 2000, state: 'sending', reason: '' },
    { id: '2', kind: 'edit', target: 'a', text: 'second try', at: 2000, state: 'sending', reason: '' },
    { id: '3', kind: 'delete', target: 'b', text: '', at: 2000, state: 'failed', reason: 'refused' },
    { id: 'c', kind: 'new', target: 'c', text: 'hello', at: 3000, state: 'sending', reason: '' },
  ];
  const shown = conversation([row('a', 'me'), row('b', 'me')], entries, me);
  assert.deepEqual(shown.map(({ id, text, status, entry, reason }) => ({ id, text, status, entry, reason })), [
    { id: 'a', text: 'second try', status: 'saving', entry: '2', reason: '' },
    { id: 'b', text: 'text', status: 'failed', entry: '3', reason: 'refused' },
    { id: 'c', text: 'hello', status: 'sending', entry: 'c', reason: '' },
  ]);
});

test('a new message whose row is there already is shown once', () => {
  const entry = { id: 'a', kind: 'new', target: 'a', text: 'hello', at: 3000, state: 'sending', reason: '' };
  assert.deepEqual(conversation([row('a', 'me')], [entry], me).map(({ id, status }) => ({ id, status })), [{ id: 'a', status: '' }]);
});

test('timestamps are milliseconds, as a number or text, or ISO text', () => {
  assert.deepEqual([1700000000123, '1700000000123', '2023-11-14T22:13:20.123Z'].map(toMillis), Array(3).fill(1700000000123));
});

test('messages of one author in one breath stand together; a day begins with its date', () => {
  const minute = 60_000, noon = new Date(2024, 0, 1, 12).getTime(), tomorrow = noon + 1440 * minute;
  const messages = [['ada', noon], ['ada', noon + minute], ['ada', noon + 10 * minute], ['bob', noon + 11 * minute], ['bob', tomorrow]];
  const shown = grouped(messages.map(([author, at]) => ({ author, username: author, at })));
  assert.deepEqual(shown.map(({ day, opens, closes }) => [day, opens, closes]), [
    [noon, true, false], [null, false, true], [null, true, true], [null, true, true], [tomorrow, true, true],
  ]);
});

test('what did not change stays the same object, also beside what did', () => {
  const rows = [row('a', 'me'), row('b', 'bob'), row('c', 'cy')];
  const before = grouped(conversation(rows, [], me));
  const edit = { id: '1', kind: 'edit', target: 'b', text: 'new', at: 2000, state: 'sending', reason: '' };
  const after = grouped(conversation([...rows, row('d', 'dee')], [edit], me));
  assert.deepEqual(before.map((message, i) => message === after[i]), [true, false, true]);
  assert.ok(grouped(conversation(rows, [], { ...me, clientId: 'bob' }))[1].own);
});

test('a message that is on its way can be edited; when it failed, all of it is tried again', () => {
  const sent = { id: 'a', kind: 'new', target: 'a', text: 'helo', at: 3000, state: 'sending', reason: '', username: 'Ada' };
  const edit = { id: '1', kind: 'edit', target: 'a', text: 'hello', at: 3001, state: 'sending', reason: '' };
  const shown = (...entries) => conversation([], entries, me).map(({ text, status, entry }) => [text, status, entry]);
  assert.deepEqual(shown(sent, edit), [['hello', 'saving', '1']]);
  assert.deepEqual(shown({ ...sent, state: 'failed' }, edit), [['hello', 'failed', 'a']]);
});

test('a message that is gone and still edited stands where it stood', () => {
  const [a, b, c] = [1, 2, 3].map((at) => ({ id: `${at}`, at, status: '' }));
  assert.deepEqual(withGone([a, c], b), [a, { ...b, status: 'gone' }, c]);
  assert.deepEqual(withGone([a], c), [a, { ...c, status: 'gone' }]);
});

test('an author whose name cannot be seen is somebody', () => {
  assert.deepEqual(conversation([row('a', 'x', { username: '\u200b' })], [], me).map(({ username }) => username), ['somebody']);
});
