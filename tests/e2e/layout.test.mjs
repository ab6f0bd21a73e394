// Sizes, directions and days: what is on the page is where one can see it and press it.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { desktop, join, launch, phone } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

const row = (text, more = {}) => {
  const columns = { username: 'psql', msg_id: text, msg_data: text, ...more };
  const values = Object.values(columns).map((value) => `'${String(value).replaceAll("'", "''")}'`);
  return server.psql(`INSERT INTO chat_data(${Object.keys(columns)}) VALUES (${values})`);
};

/** What reaches out of the page sideways: buttons, fields and texts. */
const outside = ({ page }) => page.evaluate(() => [...document.querySelectorAll('button, textarea, input, .text, .author, .name')]
  .filter((each) => each.checkVisibility() && (each.getBoundingClientRect().right > innerWidth || each.getBoundingClientRect().left < 0))
  .map((each) => each.outerHTML.slice(0, 80)));

for (const [size, options] of [['phone', phone], ['desktop', desktop]]) {
  test(`a long name pushes nothing off the screen: ${size}`, async (t) => {
    const ada = await join(t, browser, server, 'A'.repeat(100), options);
    await row('short', { username: 'Zoë'.repeat(33) });
    await row('w'.repeat(300));
    await ada.sees('short');
    await ada.say('mine');
    if (size === 'phone') await ada.page.getByRole('button', { name: /^\d+ here$/ }).click();
    await ada.page.getByRole('button', { name: 'Rename' }).waitFor();
    await ada.shot(`long-names-${size}`);
    assert.deepEqual(await outside(ada), []);
  });

  test(`the header stays as it is while the page reconnects: ${size}`, async (t) => {
    const ada = await join(t, browser, server, 'Ada', options);
    const height = () => ada.page.locator('.top').evaluate((header) => header.getBoundingClientRect().height);
    const before = await height();
    await server.kill9();
    await ada.page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
    await ada.shot(`header-reconnecting-${size}`);
    assert.equal(await height(), before);
    for (const text of ['Offline, trying again…', 'Cannot connect: the server answered something long and hard to understand']) {
      await ada.page.locator('.status span').evaluate((span, words) => (span.textContent = words), text);
      assert.equal(await height(), before);
      assert.deepEqual(await outside(ada), []);
      assert.equal(await ada.page.locator('.top').evaluate((header) => header.scrollWidth > header.clientWidth), false);
    }
    await ada.shot(`header-offline-${size}`);
    await server.start();
    await ada.live();
  });
}

test('the page needs no script or style that is written into it', async () => {
  const html = await (await fetch(server.origin)).text();
  const inline = [...html.matchAll(/<script(?![^>]*(?: src=| type="application\/json"))[^>]*>|<style| style="| on[a-z]+="/g)].map(([match]) => match);
  assert.deepEqual(inline, []);
});

test('each text runs in its own direction', async (t) => {
  const ada = await join(t, browser, server, 'عائشة');
  await ada.say('שלום, עולם!');
  await row('left to right', { username: 'دانيال' });
  await ada.sees('left to right');
  const direction = (locator) => locator.evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await direction(ada.page.getByText('שלום, עולם!')), 'rtl');
  assert.equal(await direction(ada.page.getByText('left to right')), 'ltr');
  assert.equal(await direction(ada.log.getByText('دانيال')), 'rtl');
  assert.equal(await direction(ada.page.locator('#people .name').filter({ hasText: 'عائشة' })), 'rtl');
  await ada.composer.fill('مرحبا');
  assert.equal(await direction(ada.composer), 'rtl');
  await ada.shot('directions');
});

test('days are named, with their year when it is not this one', async (t) => {
  const now = new Date(), noonOf = (days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - days, 12).getTime();
  await row('old', { created_at_timestamp: new Date(2019, 2, 5, 12).getTime() });
  await row('of yesterday', { created_at_timestamp: noonOf(1) });
  await row('of today', { created_at_timestamp: noonOf(0) });
  const ada = await join(t, browser, server, 'Ada');
  await ada.sees('of today');
  assert.deepEqual(await ada.log.locator('.day').allTextContents(), ['Tuesday, March 5, 2019', 'Yesterday', 'Today']);
  await ada.shot('days');
});

test('on a phone the list of people goes with Escape, and with a press beside it', async (t) => {
  const ada = await join(t, browser, server, 'Ada', phone);
  const toggle = ada.page.getByRole('button', { name: /^\d+ here$/ }), panel = ada.page.locator('#people');
  await toggle.click();
  await panel.waitFor();
  await ada.shot('phone-people');
  await ada.page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  assert.ok(await toggle.evaluate((button) => button === document.activeElement));
  await toggle.click();
  await panel.waitFor();
  await ada.page.touchscreen.tap(60, 500);
  await panel.waitFor({ state: 'hidden' });
  await toggle.click();
  await toggle.click();
  await panel.waitFor({ state: 'hidden' });
});

test('the name of a button contains what is written on it', async (t) => {
  const ada = await join(t, browser, server, 'Ada');
  await ada.say('one');
  await server.psql(`UPDATE chat_data SET msg_data = 'two'`);
  await ada.sees('two');
  const differing = () => ada.page.evaluate(() => [...document.querySelectorAll('button, a, [role=button]')]
    .filter((each) => each.ariaLabel && each.innerText.trim() && !each.ariaLabel.toLowerCase().includes(each.innerText.trim().toLowerCase()))
    .map((each) => each.outerHTML));
  assert.deepEqual(await differing(), []);
  await ada.page.getByRole('button', { name: 'Rename' }).click();
  assert.deepEqual(await differing(), []);
  await until(() => ada.page.getByRole('button', { name: 'Cancel' }).isVisible(), 'a way back');
});
