import assert from 'node:assert/strict';
import test from 'node:test';
import { Timeline } from './timeline.js';

const row = (id, text = `m${id}`) => ({ id, msg_id: `msg-${id}`, msg_data: text });
const insert = (id, text) => ({ type: 'INSERT', row: row(id, text) });
const update = (id, text) => ({ type: 'UPDATE', row: row(id, text) });
const remove = (id) => ({ type: 'DELETE', row: row(id) });
const page = (before, ...rows) => ({ messages: rows, before });
const texts = (timeline) => timeline.rows().map((r) => r.msg_data);

function loaded(...args) {
  const timeline = new Timeline();
  timeline.answer(timeline.askNewest(), page(...args));
  return timeline;
}

test('changes are applied as they come', () => {
  const timeline = loaded(null, row(1), row(2));
  [insert(3), update(1, 'one'), remove(2)].forEach((change) => timeline.apply(change));
  assert.deepEqual(timeline.rows(), [row(1, 'one'), row(3)]);
});

test('ids that come as text are numbers in order', () => {
  const timeline = loaded(null, { ...row(0), id: '9', msg_id: 'a' }, { ...row(0), id: '10', msg_id: 'b' });
  assert.deepEqual(timeline.rows().map((r) => r.id), [9, 10]);
});

test('a change heard before the page arrives is neither lost nor doubled', () => {
  const timeline = new Timeline();
  const question = timeline.askNewest();
  timeline.apply(insert(2));              // committed before the page was read: it is in the page as well
  timeline.apply(insert(3));              // committed after
  timeline.answer(question, page(null, row(1), row(2)));
  assert.deepEqual(texts(timeline), ['m1', 'm2', 'm3']);
});

test('a page older than a delete heard meanwhile does not bring the row back', () => {
  const timeline = loaded(null, row(1));
  const question = timeline.askNewest();
  timeline.apply(remove(1));
  timeline.answer(question, page(null, row(1)));
  assert.deepEqual(texts(timeline), []);
});

test('a page takes the place of rows whose changes were missed', () => {
  const timeline = loaded(null, row(1), row(2));
  timeline.answer(timeline.askNewest(), page(null, row(1, 'edited while we were away'), row(3)));
  assert.deepEqual(texts(timeline), ['edited while we were away', 'm3']);
});

test('the answer to a question that was given up is ignored', () => {
  const timeline = loaded(5, row(5));
  const older = timeline.askOlder();
  const newest = timeline.askNewest();
  assert.equal(timeline.answer(older, page(null, row(1))), false);
  assert.equal(timeline.answer(newest, page(7, row(7))), true);
  assert.deepEqual(texts(timeline), ['m7']);
});

test('older pages join in front, one question at a time, until there are none', () => {
  const timeline = loaded(5, row(5), row(6));
  const question = timeline.askOlder();
  assert.equal(question.before, 5);
  assert.equal(timeline.askOlder(), null);
  timeline.answer(question, page(null, row(3), row(4)));
  assert.deepEqual(texts(timeline), ['m3', 'm4', 'm5', 'm6']);
  assert.equal(timeline.askOlder(), null);
});

test('an older page that failed can be asked for again', () => {
  const timeline = loaded(5, row(5));
  timeline.giveUp(timeline.askOlder());
  assert.equal(timeline.askOlder().before, 5);
});

test('a change of a row in front of the window waits for its page', () => {
  const timeline = loaded(5, row(5));
  timeline.apply(update(4, 'four'));
  assert.deepEqual(texts(timeline), ['m5']);
  const question = timeline.askOlder();
  timeline.apply(update(3, 'three'));
  timeline.answer(question, page(null, row(3), row(4, 'four')));
  assert.deepEqual(texts(timeline), ['three', 'four', 'm5']);
});

test('any interleaving of pages and delayed changes ends as the table is', () => {
  for (let seed = 1; seed <= 300; seed++) assert.deepEqual(...interleaved(seed));
});

/** A table, a reader whose changes come late, and pages read at any moment: [what the reader holds, the table]. */
function interleaved(seed) {
  let state = seed;
  const random = (n) => (state = (state * 48271) % 2147483647) % n;
  const table = new Map();
  const late = [];                        // committed, not heard yet
  const timeline = new Timeline();
  let question = null, answer = null, next = 1;
  const rowsOf = () => [...table.values()].sort((a, b) => a.id - b.id);
  const commit = (change) => {
    change.type === 'DELETE' ? table.delete(change.row.msg_id) : table.set(change.row.msg_id, change.row);
    late.push(change);
  };
  const steps = [
    () => commit(insert(next++)),
    () => commit(insert(next++)),
    () => table.size && commit(update(rowsOf()[random(table.size)].id, `text ${random(1000)}`)),
    () => table.size > 3 && commit(remove(rowsOf()[random(table.size)].id)),
    () => late.length && timeline.apply(late.shift()),
    () => late.length && timeline.apply(late.shift()),
    () => (question = (!random(4) && timeline.askNewest()) || timeline.askOlder() || question),
    () => {                               // the server reads the page …
      if (!question || answer) return;
      const below = rowsOf().filter((r) => question.before === null || r.id < question.before);
      const messages = below.slice(-3);
      answer = [question, page(below.length > 3 ? messages[0].id : null, ...messages)];
    },
    () => answer && (timeline.answer(...answer), (question = answer = null)),  // … and it arrives later
  ];
  timeline.answer(timeline.askNewest(), page(null));
  for (let i = 0; i < 200; i++) steps[random(steps.length)]();
  while (late.length) timeline.apply(late.shift());
  if (answer) timeline.answer(...answer);
  const window = rowsOf().filter((r) => timeline.before === null || r.id >= timeline.before);
  return [timeline.rows(), window];
}
