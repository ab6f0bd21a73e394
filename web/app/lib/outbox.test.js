import assert from 'node:assert/strict';
import test from 'node:test';
import { Outbox } from './outbox.js';

const ids = (outbox) => outbox.entries().map((entry) => entry.id);
const change = (type, msg_id, msg_data = '') => ({ type, row: { msg_id, msg_data } });

function outboxWith(...entries) {
  const outbox = new Outbox();
  entries.forEach((entry) => outbox.add({ at: 0, ...entry }));
  return outbox;
}

test('an entry leaves when the change it asked for is heard', () => {
  const outbox = outboxWith(
    { id: 'a', kind: 'new', text: 'hello' },
    { id: 'b', kind: 'edit', target: 'm', text: 'better' },
    { id: 'c', kind: 'delete', target: 'n' },
  );
  outbox.heard(change('INSERT', 'somebody else’s'));
  outbox.heard(change('UPDATE', 'n', 'a change on the way'));
  assert.deepEqual(ids(outbox), ['a', 'b', 'c']);
  outbox.heard(change('INSERT', 'a', 'hello'));
  outbox.heard(change('UPDATE', 'm', 'better'));
  outbox.heard(change('DELETE', 'n'));
  assert.deepEqual(ids(outbox), []);
});

test('somebody else’s change of a row does not settle an edit; its own does, whatever the text became', () => {
  const outbox = outboxWith({ id: 'b', kind: 'edit', target: 'm', text: 'mine' });
  outbox.handled('b', 'before');
  outbox.heard(change('UPDATE', 'm', 'theirs'));
  assert.deepEqual(ids(outbox), ['b']);
  outbox.heard({ type: 'UPDATE', row: { msg_id: 'm', msg_data: 'as the server wrote it', edit_id: 'b' } });
  assert.deepEqual(ids(outbox), []);
});

test('an edit that the table shows already is done when the server says so', () => {
  const outbox = outboxWith({ id: 'b', kind: 'edit', target: 'm', text: 'mine' });
  outbox.handled('b', 'mine');
  assert.deepEqual(ids(outbox), []);
});

test('the delete of a row settles every change asked of it', () => {
  const outbox = outboxWith({ id: 'b', kind: 'edit', target: 'm', text: 'late' }, { id: 'c', kind: 'delete', target: 'm' });
  outbox.heard(change('DELETE', 'm'));
  assert.deepEqual(ids(outbox), []);
});

test('what failed stays, with its reason, and keeps its id when tried again', () => {
  const outbox = outboxWith({ id: 'a', kind: 'new', text: 'hello' });
  outbox.fail('a', 'not connected');
  assert.deepEqual(outbox.entries(), [
    { id: 'a', kind: 'new', target: 'a', text: 'hello', at: 0, state: 'failed', reason: 'not connected', handled: false },
  ]);
  outbox.retry('a');
  assert.deepEqual(outbox.entries(), [
    { id: 'a', kind: 'new', target: 'a', text: 'hello', at: 0, state: 'sending', reason: '', handled: false },
  ]);
  outbox.discard('a');
  assert.deepEqual(ids(outbox), []);
});

test('a page settles what was handled before it was asked for, and the new messages it shows', () => {
  const outbox = outboxWith(
    { id: 'shown', kind: 'new' },
    { id: 'handled', kind: 'edit', target: 'm', text: 'x' },
    { id: 'since', kind: 'edit', target: 'm', text: 'y' },
  );
  outbox.handled('handled');
  const handled = outbox.handledIds();
  outbox.handled('since');
  outbox.read(handled, (msgId) => msgId === 'shown');
  assert.deepEqual(ids(outbox), ['since']);
});

test('what was refused after it was handled does not leave with a page', () => {
  const outbox = outboxWith({ id: 'a', kind: 'edit', target: 'm', text: 'x' });
  outbox.handled('a');
  outbox.fail('a', 'not yours');
  outbox.read(outbox.handledIds(), () => true);
  assert.deepEqual(ids(outbox), ['a']);
});

test('what is not in the table outlives the page, and only that', () => {
  const kept = new Map();
  const outbox = new Outbox(kept);
  outbox.add({ id: 'later', kind: 'new', text: 'hello', at: 2, username: 'Ada' });
  outbox.add({ id: 'first', kind: 'edit', target: 'm', text: 'x', at: 1 });
  outbox.add({ id: 'done', kind: 'delete', target: 'n', at: 3 });
  outbox.heard(change('DELETE', 'n'));
  outbox.fail('first', 'not yours');
  assert.deepEqual(new Outbox(new Map(structuredClone([...kept]))).entries(), [outbox.find('first'), outbox.find('later')]);
  outbox.discard('first');
  outbox.read(new Set(), (msgId) => msgId === 'later');
  assert.deepEqual([...kept], []);
});

test('a new message that is given up takes the edits of it along', () => {
  const outbox = outboxWith({ id: 'a', kind: 'new', text: 'helo' }, { id: 'b', kind: 'edit', target: 'a', text: 'hello' });
  outbox.discard('a');
  assert.deepEqual(ids(outbox), []);
});
