import assert from 'node:assert/strict';
import test from 'node:test';
import { conversation, grouped, toMillis } from './conversation.js';

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
