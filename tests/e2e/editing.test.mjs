// Edits that meet other changes of the same message.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { join, launch, secondTab } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

const texts = async () => (await server.rows()).map(({ msg_data }) => msg_data);

test('an edit that changed nothing leaves what another tab wrote meanwhile', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('older');
  const other = await secondTab(ada);
  await ada.edit('older');
  const theirs = await other.edit('older');
  await theirs.fill('newer');
  await theirs.press('Enter');
  await ada.page.getByText('It changed meanwhile').getByText('newer').waitFor();
  await ada.page.getByRole('button', { name: 'Save' }).click();
  await ada.settled('newer');
  await ada.say('the last');             // whatever was published before is written by now
  assert.deepEqual(await texts(), ['newer', 'the last']);
});

test('↑ right after Enter edits what was just sent, though it is not written yet', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('the one before');
  await server.kill9();
  await ada.page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
  await ada.composer.fill('helo');
  await ada.composer.press('Enter');
  await ada.composer.press('ArrowUp');
  const editor = ada.page.getByLabel('Edit your message');
  assert.equal(await editor.inputValue(), 'helo');
  await editor.fill('hello');
  await editor.press('Enter');
  await ada.message('hello').getByText('saving…').waitFor();
  await server.start();
  await ada.settled('hello');
  assert.deepEqual(await texts(), ['the one before', 'hello']);
});

test('an edit under way outlives its message, and can be sent as a new one', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('one');
  await ada.say('two');
  const editor = await ada.edit('one');
  await editor.fill('one, and much more');
  await server.psql(`DELETE FROM chat_data WHERE msg_data = 'one'`);
  await ada.page.getByRole('alert').filter({ hasText: 'deleted meanwhile' }).waitFor();
  assert.equal(await editor.inputValue(), 'one, and much more');
  assert.ok(await editor.evaluate((field) => field === document.activeElement), 'it has the focus still');
  await ada.shot('deleted-meanwhile');
  await editor.press('Enter');
  await ada.settled('one, and much more');
  assert.deepEqual(await texts(), ['two', 'one, and much more']);
});

test('the versions of a message follow it', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('first');
  await server.psql(`UPDATE chat_data SET msg_data = 'second'`);
  await ada.message('second').getByRole('button', { name: '(edited)' }).click();
  const versions = ada.page.getByRole('dialog');
  const shown = (...expected) => until(async () => (await versions.locator('.text').allTextContents()).join() === expected.join(), expected.join());
  await shown('second', 'first');
  await server.psql(`UPDATE chat_data SET msg_data = 'third'`);
  await shown('third', 'second', 'first');
  await server.psql('DELETE FROM chat_data');
  await versions.getByText('This message was deleted').waitFor();
  await ada.page.keyboard.press('Escape');
  await versions.waitFor({ state: 'hidden' });
});

test('all messages are one tab stop, arrow keys go through them', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  for (const text of ['one', 'two', 'three']) await ada.say(text);
  const focused = () => ada.page.evaluate(() => document.activeElement.closest('li')?.querySelector('.text')?.textContent ?? document.activeElement.getAttribute('aria-label'));
  const stops = () => ada.page.evaluate(() => [...document.querySelectorAll('[role=log], [role=log] *')].filter((each) => each.tabIndex >= 0).length);
  assert.equal(await stops(), 1);
  await ada.log.focus();
  for (const [key, expected] of [['ArrowUp', 'three'], ['ArrowUp', 'two'], ['Home', 'one'], ['ArrowDown', 'two']]) {
    await ada.page.keyboard.press(key);
    assert.equal(await focused(), expected);
  }
  assert.equal(await stops(), 3, 'the list, and Edit and Delete of the message reached');
  await ada.shot('arrow-keys');
  await ada.page.keyboard.press('Tab');
  await ada.page.keyboard.press('Enter');
  assert.equal(await ada.page.getByLabel('Edit your message').inputValue(), 'two');
});
