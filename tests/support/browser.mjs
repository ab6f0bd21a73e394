import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const shots = process.env.PALIMPSEST_SHOTS ?? path.resolve(import.meta.dirname, '../../build/screenshots');

/** A browser for the whole file; close it with `after`. */
export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const desktop = { viewport: { width: 1280, height: 800 } };

/** Somebody with a browser of their own (cookies and all) on the page. */
export async function visit(t, browser, server, options = desktop) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  t.after(() => context.close());
  const page = await context.newPage();
  const visitor = new Visitor(page);
  page.on('pageerror', (error) => visitor.errors.push(error));
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && visitor.errors.push(message.text()));
  await page.goto(server.origin);
  return visitor;
}

/** The same person's browser with one more tab of the page. */
export async function secondTab(visitor) {
  const page = await visitor.page.context().newPage();
  await page.goto(visitor.page.url());
  const tab = new Visitor(page);
  await tab.live();
  return tab;
}

/** … who has said their name and is connected. */
export async function join(t, browser, server, name, options) {
  const visitor = await visit(t, browser, server, options);
  await visitor.page.getByLabel('Your name', { exact: true }).fill(name);
  await visitor.page.keyboard.press('Enter');
  await visitor.live();
  return visitor;
}

class Visitor {
  errors = [];                          // what the page threw, and what its policy forbade it: there should be nothing

  constructor(page) {
    this.page = page;
    this.composer = page.getByLabel('Your message', { exact: true });
    this.log = page.getByRole('log');
  }

  /** Waits until the page says that it is connected. */
  live() {
    return this.page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  }

  /** The message with exactly this text. */
  message(text) {
    return this.log.locator('li', { has: this.page.getByText(text, { exact: true }) });
  }

  async sees(text) {
    await this.message(text).waitFor();
  }

  async seesNoMore(text) {
    await this.message(text).waitFor({ state: 'detached' });
  }

  /** Types a message and sends it; resolves when it is in the table and back. */
  async say(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
    await this.settled(text);
  }

  /** Waits until a message is there and no longer under way. */
  async settled(text) {
    await this.log.locator('li:not(.sending, .saving, .deleting, .failed)', { has: this.page.getByText(text, { exact: true }) }).waitFor();
  }

  /** Opens a message of one's own for editing; gives the text field. */
  async edit(text) {
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: 'Edit', exact: true }).click();
    return this.page.getByLabel('Edit your message');
  }

  /** How far a message's upper edge is below that of the list, in pixels. */
  topOf(text) {
    return this.message(text).evaluate((item) => item.getBoundingClientRect().top - item.closest('[role=log]').getBoundingClientRect().top);
  }

  /** Scrolls the messages so far down from their beginning. */
  scrollTo(y) {
    return this.log.evaluate((log, top) => log.scrollTo(0, top), y);
  }

  /** All texts on the page, from top to bottom. */
  texts() {
    return this.log.locator('.text').allTextContents();
  }

  /** The names of those who are here, as the list has them. */
  people() {
    return this.page.locator('#people .name').allTextContents();
  }

  async shot(name) {
    await mkdir(shots, { recursive: true });
    await this.page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
}
