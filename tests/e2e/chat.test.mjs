// The page, as two people with two browsers see it.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { desktop, join, launch, phone, visit } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

const pair = async (t) => [await join(t, browser, server, 'Ada'), await join(t, browser, server, 'Bob', phone)];

test('what one writes, edits and deletes, the other sees', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.say('Hello, Bob');
  await bob.sees('Hello, Bob');
  await bob.say('Hello, Ada');
  await ada.sees('Hello, Ada');

  await ada.message('Hello, Bob').hover();
  await ada.message('Hello, Bob').getByRole('button', { name: 'Edit' }).click();
  await ada.page.getByLabel('Edit your message').fill('Hello, dear Bob');
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await bob.sees('Hello, dear Bob');
  assert.deepEqual(await bob.texts(), ['Hello, dear Bob', 'Hello, Ada']);

  await bob.message('Hello, dear Bob').getByRole('button', { name: '(edited)' }).click();
  const versions = bob.page.getByRole('dialog');
  await versions.getByText('Hello, Bob', { exact: true }).waitFor();
  assert.deepEqual(await versions.locator('.text').allTextContents(), ['Hello, dear Bob', 'Hello, Bob']);
  await bob.shot('phone-versions');
  await bob.page.keyboard.press('Escape');

  await ada.message('Hello, dear Bob').hover();
  await ada.message('Hello, dear Bob').getByRole('button', { name: 'Delete' }).click();
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await bob.seesNoMore('Hello, dear Bob');
  await ada.seesNoMore('Hello, dear Bob');
  assert.deepEqual([await ada.texts(), await bob.texts()], [['Hello, Ada'], ['Hello, Ada']]);
  assert.deepEqual([ada.errors, bob.errors], [[], []]);
});

test('the keyboard is enough', async (t) => {
  const [ada, bob] = await pair(t);
  const keys = (...pressed) => pressed.reduce((before, key) => before.then(() => ada.page.keyboard.press(key)), Promise.resolve());
  const editor = ada.page.getByLabel('Edit your message');
  const focused = (locator, what) => until(() => locator.evaluate((element) => element === document.activeElement), `the focus in ${what}`);
  await ada.say('one');
  await ada.say('two');

  await keys('ArrowUp');                 // the last of one's own
  assert.equal(await editor.inputValue(), 'two');
  await keys('Home', 'ArrowUp');         // the one before
  assert.equal(await editor.inputValue(), 'one');
  await keys('End', '!', 'Escape');
  assert.deepEqual(await ada.texts(), ['one', 'two']);
  await keys('ArrowUp', 'End', '!', 'Enter');
  await bob.sees('two!');
  await ada.settled('two!');

  await keys('ArrowUp', 'Control+a', 'Backspace', 'Enter');  // an empty edit asks whether to delete
  const dialog = ada.page.getByRole('dialog');
  await dialog.waitFor();
  await keys('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await focused(editor, 'the editor');
  await keys('Enter');
  await dialog.waitFor();
  await keys('Tab', 'Enter');
  await bob.seesNoMore('two!');
  await focused(ada.composer, 'the composer');
  await keys('o', 'k', 'Shift+Enter', '?', 'Enter');         // the composer has the focus again
  await bob.sees('ok ?');
  assert.deepEqual(await bob.texts(), ['one', 'ok\n?']);
});

test('only one’s own messages can be edited', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.say('mine');
  await bob.sees('mine');
  assert.equal(await bob.message('mine').getByRole('button').count(), 0);
  await bob.composer.press('ArrowUp');
  assert.equal(await bob.page.getByLabel('Edit your message').count(), 0);
});

test('people come and go', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  // Those of the tests before vanished without a word: they are here until their connections are given up.
  await until(async () => (await ada.people()).join() === 'Ada', 'Ada alone', 40_000);
  const bob = await join(t, browser, server, 'Bob', phone);
  await until(async () => (await ada.people()).join() === 'Ada,Bob', 'both');
  await bob.page.getByRole('button', { name: '2 here' }).click();
  assert.deepEqual(await bob.people(), ['Bob', 'Ada']);
  await bob.page.getByRole('button', { name: 'Rename' }).click();
  await bob.page.getByLabel('Your name', { exact: true }).fill('Robert');
  await bob.page.keyboard.press('Enter');
  await until(async () => (await ada.people()).join() === 'Ada,Robert', 'the new name');
  await bob.page.close({ runBeforeUnload: true });
  await until(async () => (await ada.people()).join() === 'Ada', 'Ada alone again', 20_000);
});

test('a reload keeps who one is', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.say('before the reload');
  await ada.page.reload();
  await ada.live();
  await ada.sees('before the reload');
  await ada.composer.focus();
  await ada.page.keyboard.press('ArrowUp');
  await ada.page.getByLabel('Edit your message').fill('after the reload');
  await ada.page.keyboard.press('Enter');
  await bob.sees('after the reload');
});

test('one reads without a name, and text is never markup', async (t) => {
  const ada = await join(t, browser, server, '<b>Ada</b>');
  await ada.say('<img src=x onerror="document.title=1"> & <script>alert(1)</script>');
  const reader = await visit(t, browser, server);
  await reader.sees('<img src=x onerror="document.title=1"> & <script>alert(1)</script>');
  await reader.page.getByText('<b>Ada</b>').first().waitFor();
  assert.equal(await reader.page.locator('li img, li script, li b').count(), 0);
  assert.equal(await reader.page.title(), 'Palimpsest');
  assert.equal(await reader.composer.count(), 0);
});

test('older messages come as one scrolls up, and the line one reads stays where it is', async (t) => {
  await server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) SELECT 'bulk', 'bulk-' || n, 'note ' || n FROM generate_series(1, 130) n`);
  const ada = await join(t, browser, server, 'Ada');
  await ada.sees('note 130');
  assert.equal(await ada.message('note 80').count(), 0);
  const top = await ada.message('note 81').boundingBox();
  await ada.log.evaluate((log) => log.scrollTo(0, 0));
  await ada.sees('note 31');
  const moved = await ada.message('note 81').evaluate((item) => item.getBoundingClientRect().top - item.closest('[role=log]').getBoundingClientRect().top);
  assert.ok(top && moved >= 0 && moved < 200, String(moved));
  await ada.log.evaluate((log) => log.scrollTo(0, 0));
  await ada.sees('note 1');
  await ada.page.getByText('The conversation begins here').waitFor();
  assert.deepEqual(await ada.texts(), Array.from({ length: 130 }, (_, i) => `note ${i + 1}`));
});

test('what happens in psql is on the page', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('from the page');
  await server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) VALUES('psql', 'p', 'from psql')`);
  await ada.sees('from psql');
  await server.psql(`UPDATE chat_data SET msg_data = 'overwritten' WHERE username = 'Ada'`);
  await ada.sees('overwritten');
  await server.psql(`DELETE FROM chat_data WHERE msg_id = 'p'`);
  await ada.seesNoMore('from psql');
});

test('a write that is refused says so where it was made, and can be discarded', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('hers for now');
  await ada.page.keyboard.press('ArrowUp');
  const editor = ada.page.getByLabel('Edit your message');
  await editor.fill('hers no more');
  await server.psql(`UPDATE chat_data SET client_id = 'somebody else'`);
  await ada.page.keyboard.press('Enter');
  await ada.message('hers no more').getByRole('alert').filter({ hasText: 'Not saved' }).waitFor();
  await ada.message('hers no more').getByRole('button', { name: 'Discard' }).click();
  await ada.settled('hers for now');
  assert.equal(await ada.message('hers for now').getByRole('button').count(), 0);
});

for (const [size, options] of [['phone', phone], ['desktop', desktop]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`it looks as it should: ${size}, ${colorScheme}`, async (t) => {
      const ada = await join(t, browser, server, 'Ada', { ...options, colorScheme });
      const grace = await join(t, browser, server, 'Grace');
      await grace.say('Did the export keep the original timestamps? We had trouble with that last spring.');
      await ada.say('It did. All of them in UTC now.');
      await ada.say('Every row is accounted for.');
      await ada.sees('Did the export keep the original timestamps? We had trouble with that last spring.');
      await ada.shot(`${size}-${colorScheme}`);
      for (const width of [360, 390, 768, 1280, 1440]) {
        await ada.page.setViewportSize({ width, height: 800 });
        const over = await ada.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(over, 0, `at ${width} pixels it does not scroll sideways`);
      }
    });
  }
}
