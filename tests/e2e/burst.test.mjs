// Many rows at once, and many rows in the list.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { join, launch } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

/** One transaction of so many rows, n = `from` … */
const insert = (count, from = 1) => server.psql(`INSERT INTO chat_data(username, msg_id, msg_data)
  SELECT 'bulk', gen_random_uuid(), 'note ' || n || repeat(' and more', n % 17) || ' #' FROM generate_series(${from}, ${from + count - 1}) n`);
const textOf = (n) => `note ${n}${' and more'.repeat(n % 17)} #`;

/** Starts to note the time of each frame of the page; gives a function that ends that and gives their lengths, in order. */
async function frames({ page }) {
  await page.evaluate(() => {
    window.frames_ = [];
    const note = (now) => {
      window.frames_.push(now);
      window.noting = requestAnimationFrame(note);
    };
    window.noting = requestAnimationFrame(note);
  });
  return () => page.evaluate(() => {
    cancelAnimationFrame(window.noting);
    return window.frames_.slice(1).map((now, i) => now - window.frames_[i]);
  });
}

const percentile = (values, p) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))];
const told = (lengths) => `frames: ${lengths.length}, p50 ${percentile(lengths, 0.5).toFixed(1)} ms, p95 ${percentile(lengths, 0.95).toFixed(1)} ms, longest ${Math.max(...lengths).toFixed(0)} ms`;

/** Gives a function that gives the processor time of the page's main thread since now, in ms: what else runs on the machine does not count. */
async function processorTime({ page }) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  const before = await spent();
  return async () => await spent() - before;
}

/** How often the list was drawn for a transaction of `count` rows, until the last of them was, in how many frames. The times are only told. */
async function burst(t, ada, count) {
  const [end, spent] = [await frames(ada), await processorTime(ada)];
  await ada.page.evaluate((text) => {
    const list = document.querySelector('[role=log] ol');
    window.drawn = new Promise((resolve) => {
      let first = 0, drawings = 0;
      const observer = new MutationObserver(() => {
        first ||= performance.now();
        drawings++;
        if (!list.lastElementChild?.textContent.includes(text)) return;
        observer.disconnect();
        requestAnimationFrame(() => resolve({ took: performance.now() - first, drawings }));
      });
      observer.observe(list, { childList: true });
    });
  }, textOf(count));
  const began = performance.now();
  await insert(count);
  const { took, drawings } = await ada.page.evaluate(() => window.drawn);
  const cpu = await spent(), lengths = await end();
  t.diagnostic(`${count} rows: ${cpu.toFixed(0)} ms of processor time, ${took.toFixed(0)} ms from the first drawn to the last, ${
    (performance.now() - began).toFixed(0)} ms with the transaction; ${told(lengths)}`);
  return { drawings, frames: lengths.length };
}

for (const count of (process.env.BURSTS ?? '1000,5000').split(',').map(Number)) {
  test(`${count} rows of one transaction are drawn as they come`, { timeout: 300_000 }, async (t) => {
    const ada = await join(t, browser, server, 'Ada');
    ada.page.setDefaultTimeout(300_000);
    await ada.say('before');
    const { drawings, frames } = await burst(t, ada, count);
    assert.ok(drawings <= frames + 1, `drawn ${drawings} times in ${frames} frames`);
    assert.ok(drawings < count / 2, `drawn ${drawings} times`);
    assert.ok(await ada.log.locator('li').count() < 250, 'only a window of them is in the document');
    await ada.composer.fill('still here');
    await ada.composer.press('Enter');
    await ada.settled('still here');
  });
}

test('a list of 50,000 scrolls, and the reader finds what they look for', { timeout: 300_000, skip: process.env.BURSTS !== undefined }, async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  ada.page.setDefaultTimeout(60_000);
  await ada.say('the first of all');
  for (let n = 0; n < 50_000; n += 5000) {
    await insert(5000, n + 1);
    await ada.log.getByText(textOf(n + 5000), { exact: true }).waitFor();
  }
  assert.ok(await ada.log.locator('li').count() < 200, 'only a window of them is in the document');

  // Slowly, as a wheel does; then by leaps, as a scrollbar does.
  for (const [how, px, steps] of [['slowly', 40, 200], ['fast', 1000, 200], ['by leaps', 20_000, 60]]) {
    const end = await frames(ada);
    await ada.log.evaluate(async (log, [by, count]) => {
      for (let i = 0; i < count; i++) {
        log.scrollTop -= by;
        await new Promise(requestAnimationFrame);
      }
    }, [px, steps]);
    const lengths = await end();
    t.diagnostic(`${how} (${px} px a frame): ${told(lengths)}`);
    assert.ok(await ada.log.locator('li').count() < 200, 'only a window of them is in the document');
  }
  await ada.scrollTo(0);
  await ada.sees('the first of all');
  assert.ok(await ada.log.evaluate((log) => log.scrollHeight - log.scrollTop > 1_000_000));

  // One who reads up there is not moved by what comes below, nor by what changes above.
  await ada.scrollTo(500_000);
  const line = await until(() => ada.log.locator('li .text').nth(20).textContent(), 'a line');
  const top = await ada.topOf(line);
  await server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) VALUES ('psql', 'last', 'the last')`);
  await server.psql(`DELETE FROM chat_data WHERE msg_id IN (SELECT msg_id FROM chat_data WHERE msg_data LIKE 'note %' ORDER BY id LIMIT 500)`);
  await ada.page.getByRole('button', { name: 'New messages' }).waitFor();
  await until(() => ada.log.evaluate((log) => log.scrollTop < 490_000), 'the rows above to go');
  assert.ok(Math.abs(await ada.topOf(line) - top) < 2, `moved from ${top} to ${await ada.topOf(line)}`);
  await ada.page.getByRole('button', { name: 'New messages' }).click();
  await ada.sees('the last');
  assert.deepEqual(ada.errors, []);
});
