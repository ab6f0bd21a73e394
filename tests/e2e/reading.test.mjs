// The line one reads stays where it is, and what was missed is said.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { join, launch } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until } from '../support/until.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());
afterEach(() => server.psql('DELETE FROM chat_data'));

const insert = (from, to) =>
  server.psql(`INSERT INTO chat_data(username, msg_id, msg_data) SELECT 'bulk', gen_random_uuid(), 'note ' || n FROM generate_series(${from}, ${to}) n`);
const newMessages = ({ page }) => page.getByRole('button', { name: 'New messages' });

/** Scrolls up until this message is at the upper edge. */
async function readAt(ada, text) {
  await ada.log.locator('li').first().waitFor();
  await until(async () => {
    if (await ada.message(text).count()) return true;
    await ada.scrollTo(0);
    return false;
  }, text);
  await ada.message(text).evaluate((item) => item.scrollIntoView());
  await until(async () => Math.abs(await ada.topOf(text)) < 2, `${text} at the edge`);
}

/** Puts a gap into what the page hears: lose() keeps changes from it, reattach() says that some were lost, as a server does. */
async function makeLossy({ page }) {
  let lossy = false, toPage = null;
  await page.routeWebSocket('**/*', (socket) => {
    toPage = socket;
    const server = socket.connectToServer();
    server.onMessage((text) => (lossy && text.includes('incoming-chat') ? undefined : socket.send(text)));
  });
  await page.reload();
  return {
    lose: () => (lossy = true),
    reattach() {
      lossy = false;
      toPage.send(JSON.stringify({ action: 11, channel: 'incoming-chat', flags: 0 }));
    },
  };
}

test('a gap that cannot be made up for leaves the reader where they are, and is said', async (t) => {
  await insert(1, 400);
  const ada = await join(t, browser, server, 'Ada');
  const link = await makeLossy(ada);
  await ada.live();
  await readAt(ada, 'note 220');
  link.lose();
  await insert(401, 460);
  await server.psql(`UPDATE chat_data SET msg_data = 'changed meanwhile' WHERE msg_data = 'note 221'; DELETE FROM chat_data WHERE msg_data = 'note 210'`);
  assert.equal(await ada.message('changed meanwhile').count(), 0);
  link.reattach();
  await ada.page.getByText('the messages were loaded again').waitFor();
  await ada.sees('changed meanwhile');
  await newMessages(ada).waitFor();
  assert.ok(Math.abs(await ada.topOf('note 220')) < 2, `moved by ${await ada.topOf('note 220')}`);
  await ada.shot('gap');
  await ada.page.getByRole('button', { name: 'Dismiss' }).click();
  await newMessages(ada).click();
  await ada.sees('note 460');
  assert.deepEqual(ada.errors, []);
});

test('who reads the end stays there while the server is away', async (t) => {
  await insert(1, 400);
  const ada = await join(t, browser, server, 'Ada');
  await ada.sees('note 400');
  await server.kill9();
  await server.start();
  await ada.live();
  await insert(401, 401);
  await ada.sees('note 401');
  await until(() => ada.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2), 'the end');
});

test('the line one reads stays when its neighbours and it itself go', async (t) => {
  await insert(1, 130);
  const ada = await join(t, browser, server, 'Ada');
  await readAt(ada, 'note 90');
  const next = await ada.topOf('note 92');
  await server.psql(`DELETE FROM chat_data WHERE msg_data IN ('note 88', 'note 89', 'note 90', 'note 91')`);
  await ada.seesNoMore('note 91');
  await until(async () => Math.abs(await ada.topOf('note 92') - next) < 2, `note 92 where it was (${next})`);
  await server.psql(`UPDATE chat_data SET msg_data = repeat('much longer ', 100) WHERE msg_data = 'note 80'`);
  await until(async () => Math.abs(await ada.topOf('note 92') - next) < 2, 'note 92 where it was');
});

test('when all goes that one sees and much that follows, what is left next is there', async (t) => {
  await insert(1, 130);
  const ada = await join(t, browser, server, 'Ada');
  await readAt(ada, 'note 90');
  await insert(131, 700);
  await newMessages(ada).waitFor();
  await until(() => ada.log.evaluate((log) => log.scrollHeight > 20_000), 'all to be heard');
  assert.ok(Math.abs(await ada.topOf('note 90')) < 2);
  await server.psql(`DELETE FROM chat_data WHERE id IN (SELECT id FROM chat_data ORDER BY id OFFSET 85 LIMIT 515)`);
  await ada.sees('note 601');
  await until(async () => await ada.log.evaluate((log) => log.scrollHeight < 15_000), 'the deletes to be heard');
  await until(async () => Math.abs(await ada.topOf('note 601')) < 400, 'note 601 where one reads');
});

test('new messages are announced when there are some, also in front of one that failed', async (t) => {
  await insert(1, 60);
  const ada = await join(t, browser, server, 'Ada');
  await ada.composer.fill('NUL \u0000 inside');
  await ada.composer.press('Enter');
  await ada.page.getByRole('alert').filter({ hasText: 'Not sent' }).waitFor();
  await ada.scrollTo(100);
  await server.psql(`DELETE FROM chat_data WHERE msg_data = 'note 60'`);
  await ada.seesNoMore('note 60');
  assert.equal(await newMessages(ada).count(), 0, 'a message that goes is none that is new');
  await insert(61, 61);
  await newMessages(ada).waitFor();
  await ada.shot('new-messages');
  await newMessages(ada).click();
  await ada.sees('note 61');
  await newMessages(ada).waitFor({ state: 'detached' });
});

test('a page that could not be loaded is asked for again, and what was said of it goes', async (t) => {
  await insert(1, 120);
  const ada = await join(t, browser, server, 'Ada');
  await ada.sees('note 120');
  let broken = true;
  await ada.page.route('**/api/messages?*before*', (route) => (broken ? route.fulfill({ status: 503, body: '' }) : route.continue()));
  await ada.scrollTo(0);
  const trouble = ada.page.getByRole('alert').filter({ hasText: 'could not be loaded (the server answered 503)' });
  await trouble.waitFor();
  await ada.shot('load-error');
  broken = false;
  await ada.sees('note 30');
  await trouble.waitFor({ state: 'detached' });
});
