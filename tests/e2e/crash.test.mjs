// The page while its server is killed.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { join, launch, phone } from '../support/browser.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';

const server = await startPalimpsest({ after });
const browser = await launch();
after(() => browser.close());

test('kill -9 while one types and sends: nothing is lost or doubled, and the draft stays', async (t) => {
  const [ada, bob] = [await join(t, browser, server, 'Ada'), await join(t, browser, server, 'Bob', phone)];
  await ada.say('before');
  await bob.sees('before');

  // Three go out at once with the kill, one more while nobody is there; one is being written.
  for (const text of ['first', 'second', 'third']) {
    await ada.composer.fill(text);
    await ada.composer.press('Enter');
  }
  await server.kill9();
  await ada.page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
  await ada.composer.fill('while nobody listens');
  await ada.composer.press('Enter');
  await ada.message('while nobody listens').getByText('sending…').waitFor();
  await ada.composer.pressSequentially('a thought half wri');
  await ada.shot('reconnecting');

  await server.start();
  await ada.live();
  await bob.live();
  const written = ['before', 'first', 'second', 'third', 'while nobody listens'];
  for (const text of written) {
    await ada.settled(text);
    await bob.sees(text);
  }
  assert.equal(await ada.composer.inputValue(), 'a thought half wri');
  assert.deepEqual((await server.rows()).map(({ msg_data }) => msg_data), written);
  assert.deepEqual([await ada.texts(), await bob.texts()], [written, written]);

  // And it goes on: the draft is sent, an old message is still one's own.
  await ada.composer.press('Enter');
  await bob.sees('a thought half wri');
  await ada.settled('a thought half wri');
  await ada.page.keyboard.press('ArrowUp');
  await ada.page.getByLabel('Edit your message').fill('a thought');
  await ada.page.keyboard.press('Enter');
  await bob.sees('a thought');
  assert.deepEqual([ada.errors, bob.errors], [[], []]);
});

test('edits made while nobody listens are applied once it is back', async (t) => {
  const [ada, bob] = [await join(t, browser, server, 'Ada'), await join(t, browser, server, 'Bob', phone)];
  await ada.say('to be edited');
  await ada.say('to be deleted');
  await bob.sees('to be deleted');
  await server.kill9();
  await ada.page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();

  await ada.message('to be edited').hover();
  await ada.message('to be edited').getByRole('button', { name: 'Edit' }).click();
  await ada.page.getByLabel('Edit your message').fill('edited');
  await ada.page.keyboard.press('Enter');
  await ada.message('edited').getByText('saving…').waitFor();
  await ada.message('to be deleted').hover();
  await ada.message('to be deleted').getByRole('button', { name: 'Delete' }).click();
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await ada.message('to be deleted').getByText('deleting…').waitFor();

  await server.start();
  await ada.settled('edited');
  await ada.seesNoMore('to be deleted');
  await bob.sees('edited');
  await bob.seesNoMore('to be deleted');
});
