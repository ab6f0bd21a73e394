import assert from 'node:assert/strict';
import test from 'node:test';
import { makePages } from './pages.js';

/** Pages of a table with the rows 1 to `count`, and the paths that were asked for. */
function tableOf(count) {
  const asked = [];
  const getJson = async (path) => {
    asked.push(path);
    const query = new URL(path, 'http://host').searchParams, limit = Number(query.get('limit'));
    const below = Array.from({ length: count }, (_, i) => ({ id: i + 1 })).filter(({ id }) => id < Number(query.get('before') ?? Infinity));
    return { messages: below.slice(-limit), before: below.length > limit ? below.at(-limit).id : null };
  };
  return { asked, ...makePages(getJson, 'main') };
}

test('a reader at the end needs one page', async () => {
  const table = tableOf(1000);
  const page = await table.newestDownTo(Infinity);
  assert.deepEqual([page.messages.length, page.before, table.asked], [50, 951, ['/api/messages?room=main&limit=50']]);
});

test('a reader further up gets all from there to the end, in order', async () => {
  const table = tableOf(1000);
  const { messages, before } = await table.newestDownTo(600);
  assert.deepEqual([messages[0].id, messages.at(-1).id, messages.length, before], [551, 1000, 450, 551]);
  assert.ok(messages.every(({ id }, i) => id === 551 + i));
});

test('one who reads among the first gets the beginning', async () => {
  assert.deepEqual(await tableOf(120).newestDownTo(1), { messages: Array.from({ length: 120 }, (_, i) => ({ id: i + 1 })), before: null });
});

test('there is a bound to what is asked for', async () => {
  const table = tableOf(10_000);
  const { messages, before } = await table.newestDownTo(1);
  assert.deepEqual([table.asked.length, messages.length, before], [25, 4850, 5151]);
});
