// A browser that gets no WebSocket, on a page of another origin: the SDK's long polling carries all of it; and an EventSource.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { after, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { connect, listen } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve', args: ['--shards', '3'] });
const browser = await launch();
after(() => browser.close());

const sdk = await readFile(path.resolve(import.meta.dirname, '../node_modules/ably/build/ably.min.js'));
const site = http.createServer((request, response) => {
  const script = request.url === '/ably.js';
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? sdk : '<script src="/ably.js"></script>');
});
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
after(() => site.close());

/** A page with a client of the SDK, `client`, connected with these options. */
async function visit(t, options) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.evaluate(async (all) => {
    window.client = new window.Ably.Realtime(all);
    await Promise.race([window.client.connection.whenState('connected'), new Promise((_, no) => setTimeout(no, 10_000, 'not connected'))]);
    const { shortName } = window.client.connection.connectionManager.activeProtocol.getTransport();
    if (shortName !== 'xhr_polling') throw new Error(`connected by ${shortName}`);
  }, { key: server.key, endpoint: '127.0.0.1', port: server.port, tls: false, transports: ['xhr_polling'], disconnectedRetryTimeout: 200, ...options });
  return page;
}

test('connect, attach, publish, receive, presence, history and close', async (t) => {
  const page = await visit(t, { clientId: 'ada' });
  const watcher = await connect(t, server);
  const heard = await listen(watcher.channels.get('room'));
  const seen = [];
  await watcher.channels.get('room').presence.subscribe(({ action, clientId }) => seen.push(`${clientId} ${action}`));

  await page.evaluate(async () => {
    const channel = window.client.channels.get('room');
    window.heard = [];
    await channel.subscribe(({ data }) => window.heard.push(data));
    await channel.presence.enter('here');
    for (let n = 0; n < 5; n++) await channel.publish('n', { n });
  });
  await watcher.channels.get('room').publish('n', 'from elsewhere');
  await until(() => page.evaluate(() => window.heard.length === 6), 'the browser to hear all');
  assert.deepEqual(await page.evaluate(() => window.heard), heard.map(({ data }) => data));
  // REST from there needs the server to allow the Authorization header, with credentials.
  assert.equal(await page.evaluate(async () => (await window.client.channels.get('room').history()).items.length), 6);
  assert.deepEqual(seen, ['ada enter']);

  await page.evaluate(() => window.client.close());
  await until(() => seen.length === 2, 'the leave, without a grace period', 5000);
});

test('a network that was away is made up for', async (t) => {
  const page = await visit(t);
  const publisher = await connect(t, server);
  await page.evaluate(async () => {
    window.heard = [];
    window.id = window.client.connection.id;
    await window.client.channels.get('away').subscribe(({ data }) => window.heard.push(data));
  });
  await publisher.channels.get('away').publish('n', 'before');
  await page.context().setOffline(true);
  await until(() => page.evaluate(() => window.client.connection.state !== 'connected'), 'the client to notice');
  await publisher.channels.get('away').publish('n', 'meanwhile');
  await page.context().setOffline(false);
  await within(page.evaluate(() => window.client.connection.whenState('connected')), 'the connection');
  await publisher.channels.get('away').publish('n', 'after');
  await until(() => page.evaluate(() => window.heard.length === 3), 'all of it');
  assert.deepEqual(await page.evaluate(() => [window.heard, window.client.connection.id === window.id]), [['before', 'meanwhile', 'after'], true]);
});

test('a page that is closed without a word loses its transport at once', async (t) => {
  const page = await visit(t, { clientId: 'ada', transportParams: { remainPresentFor: 0 } });
  const watcher = await connect(t, server);
  const seen = [];
  await watcher.channels.get('closed').presence.subscribe(({ action }) => seen.push(action));
  await page.evaluate(() => window.client.channels.get('closed').presence.enter());
  await until(() => seen.length === 1, 'the member');
  await page.close();
  await until(() => seen.length === 2, 'the leave', 5000);
});

test('an EventSource hears what is said', async (t) => {
  const page = await visit(t);
  const channel = (await connect(t, server)).channels.get('events');
  await page.evaluate(([origin, key]) => {
    window.heard = [];
    const source = new EventSource(`${origin}/sse?v=1.2&enveloped=false&channels=events&key=${encodeURIComponent(key)}`);
    source.onmessage = ({ data, lastEventId }) => window.heard.push([data, lastEventId !== '']);
    return new Promise((resolve) => (source.onopen = resolve));
  }, [server.origin, server.key]);
  await until(() => channel.publish('n', 'first').then(() => page.evaluate(() => window.heard.length)), 'the stream to be attached');
  await page.evaluate(() => (window.heard = []));
  await channel.publish('n', 'two\nlines');
  await until(() => page.evaluate(() => window.heard.length), 'the event');
  assert.deepEqual(await page.evaluate(() => window.heard), [['two\nlines', true]]);
});
