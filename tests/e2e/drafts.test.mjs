// What was written and is not in the table yet: drafts, and what waits to be sent.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { join, launch, secondTab, visit } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

const texts = async () => (await server.rows()).map(({ msg_data }) => msg_data);
const reconnecting = ({ page }) => page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();

test('a draft stays: while one renames oneself, over a reload, and when the tab is closed', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.composer.fill('half a thought');
  await ada.page.getByRole('button', { name: 'Rename' }).click();
  await ada.shot('renaming');
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await ada.composer.inputValue(), 'half a thought');
  await ada.page.reload();
  assert.equal(await ada.composer.inputValue(), 'half a thought');
  const next = await secondTab(ada);
  await ada.page.close();
  assert.equal(await next.composer.inputValue(), 'half a thought');
  await next.composer.press('Enter');
  await next.settled('half a thought');
  await next.page.reload();
  assert.equal(await next.composer.inputValue(), '');
});

test('the draft of an edit stays when another edit is opened, and over a reload', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('one');
  await ada.say('two');
  await (await ada.edit('one')).fill('one, and more');
  const editor = await ada.edit('two');
  assert.equal(await editor.inputValue(), 'two');
  await ada.page.reload();
  await ada.live();
  await ada.message('one').getByRole('button', { name: 'Continue your edit' }).click();
  assert.equal(await editor.inputValue(), 'one, and more');
  await editor.press('Enter');
  await ada.settled('one, and more');
  assert.equal(await ada.page.getByRole('button', { name: 'Continue your edit' }).count(), 0);
  const again = await ada.edit('two');
  await again.fill('never mind');
  await again.press('Escape');
  assert.equal(await (await ada.edit('two')).inputValue(), 'two');
});

test('what could not be sent before its tab was closed is sent by the next, once', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('before');
  await server.kill9();
  await reconnecting(ada);
  await ada.composer.fill('not sent yet');
  await ada.composer.press('Enter');
  const editor = await ada.edit('before');
  await editor.fill('edited');
  await editor.press('Enter');
  await ada.message('edited').getByText('saving…').waitFor();
  const context = ada.page.context();
  await ada.page.close();
  await server.start();
  const [first, second] = [await context.newPage(), await context.newPage()];
  await Promise.all([first.goto(server.origin), second.goto(server.origin)]);
  await until(async () => (await texts()).join() === 'edited,not sent yet', 'both to be written');
  for (const page of [first, second]) {
    await page.getByText('not sent yet', { exact: true }).waitFor();
    await until(async () => await page.locator('.sending, .saving, .failed').count() === 0, 'nothing under way');
  }
  const versions = await server.getJson(`/api/messages/${(await server.rows())[0].msg_id}/versions`);
  assert.deepEqual(versions.versions.map(({ msg_data }) => msg_data), ['before', 'edited']);
});

test('after a long outage it is sent without being asked, and the outage is said once', async (t) => {
  const ada = await visit(t, browser, server);
  await ada.page.clock.install();
  await ada.page.reload();
  await ada.page.getByLabel('Your name', { exact: true }).fill('Ada');
  await ada.page.keyboard.press('Enter');
  await ada.live();
  await ada.page.evaluate(() => {
    window.said = [];
    const status = document.querySelector('.status');
    new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
  });
  await server.kill9();
  await reconnecting(ada);
  await ada.composer.fill('patience');
  await ada.composer.press('Enter');
  const offline = ada.page.getByRole('status').filter({ hasText: 'Offline' });
  await until(async () => {
    await ada.page.clock.fastForward(20_000);
    return offline.isVisible();
  }, 'the SDK to give up', 60_000);
  for (let attempt = 0; attempt < 5; attempt++) await ada.page.clock.fastForward(6000);
  assert.deepEqual(await ada.page.evaluate(() => window.said), ['Reconnecting…', 'Offline, trying again…']);
  await ada.message('patience').getByText('sending…').waitFor();
  await server.start();
  await until(async () => {
    await ada.page.clock.fastForward(6000);
    return (await texts()).join() === 'patience';
  }, 'the message to be written', 30_000);
  await ada.settled('patience');
});

test('long texts and names are taken whole, or refused with the bound, and stay to be shortened', async (t) => {
  const name = 'N'.repeat(60);
  const ada = await join(t, browser, server, name);
  await ada.say('x'.repeat(20_000));
  assert.deepEqual((await server.rows()).map(({ username, msg_data }) => [username.length, msg_data.length]), [[60, 20_000]]);
  await ada.composer.fill('€'.repeat(11_000));
  await ada.page.getByRole('alert').filter({ hasText: 'This text is too long: 33,000 of at most 32,768 bytes' }).waitFor();
  await ada.composer.press('Enter');
  assert.equal((await ada.composer.inputValue()).length, 11_000);
  await ada.shot('too-long');
  await ada.page.getByRole('button', { name: 'Rename' }).click();
  await ada.page.getByLabel('Your name', { exact: true }).fill('N'.repeat(101));
  await ada.page.getByRole('alert').filter({ hasText: '101 of at most 100 characters' }).waitFor();
  await ada.page.keyboard.press('Enter');
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(await ada.people().then((people) => people.filter((each) => each.startsWith('N'))), [name]);
});

test('a name or a text of which nothing can be seen is not taken, and that is said', async (t) => {
  const ada = await visit(t, browser, server);
  const name = ada.page.getByLabel('Your name', { exact: true }), said = (text) => ada.page.getByRole('alert').filter({ hasText: text });
  await name.fill('\u200b\u3164');
  await said('Nothing of this name can be seen').waitFor();
  await name.press('Enter');
  await name.fill('Ada');
  await name.press('Enter');
  await ada.live();
  await ada.composer.fill('\u2800');
  await said('Nothing of this text can be seen').waitFor();
  await ada.composer.press('Enter');
  await ada.say('seen');
  assert.deepEqual(await texts(), ['seen']);
  const editor = await ada.edit('seen');
  await editor.fill('\u202e');
  await said('Nothing of this text can be seen').waitFor();
  await editor.press('Enter');           // nothing is left of the message: is it to go?
  await ada.page.getByRole('dialog').getByText('Delete this message?').waitFor();
});

test('what the server refuses says why, in its words', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.composer.fill('NUL \u0000 inside');
  await ada.composer.press('Enter');
  await ada.page.getByRole('alert').filter({ hasText: 'Not sent: content has a NUL in it' }).waitFor();
  await ada.shot('not-sent');
  await ada.page.reload();               // it is still there, to be tried again or discarded
  await ada.page.getByRole('alert').filter({ hasText: 'Not sent: content has a NUL in it' }).waitFor();
  await ada.page.getByRole('button', { name: 'Discard' }).click();
  assert.deepEqual(await ada.texts(), []);
});

test('what is refused before the page is ready to hear of it says so too', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  const entry = { id: 'left-over', kind: 'new', target: 'left-over', text: 'NUL \u0000', at: Date.now(), state: 'sending', reason: '', username: 'Ada' };
  await ada.page.evaluate((left) => localStorage.setItem('outbox:left-over', JSON.stringify(left)), entry);
  await ada.page.reload();
  await ada.page.getByRole('alert').filter({ hasText: 'Not sent: content has a NUL in it' }).waitFor();
});

test('a new name reaches the other tabs', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  const other = await secondTab(ada);
  await ada.page.getByRole('button', { name: 'Rename' }).click();
  await ada.page.getByLabel('Your name', { exact: true }).fill('Ada Lovelace');
  await ada.page.keyboard.press('Enter');
  await until(() => other.composer.getAttribute('placeholder').then((text) => text === 'Write as Ada Lovelace…'), 'the name in the other tab');
  await other.say('who am I?');
  assert.equal((await server.rows())[0].username, 'Ada Lovelace');
  await until(async () => (await other.people()).includes('Ada Lovelace'), 'the name among those here');
});
