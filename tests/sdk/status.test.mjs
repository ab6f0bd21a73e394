// RSL8, CHD, CHS, CHO, CHM: how channels are used, and which there are.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { codeOf, connect, formats, rest } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

/** The items of all pages. */
async function pages(request) {
  const items = [];
  for (let page = await request; page; page = await page.next()) items.push(...page.items);
  return items;
}

for (const format of formats) {
  suite(format.name, () => {
    const client = rest(server, format);

    test('the status of a channel counts who uses it, and how', async (t) => {
      const name = `status:${format.name}`;
      const ann = await connect(t, server, { clientId: 'ann', ...format });
      await ann.channels.get(name).presence.enter();
      const bob = await connect(t, server, format);
      await bob.channels.get(name, { modes: ['SUBSCRIBE'] }).attach();
      const { channelId, status } = await client.channels.get(name).status();
      assert.equal(channelId, name);
      assert.deepEqual(status, {
        isActive: true,
        occupancy: {
          metrics: {
            connections: 2, publishers: 1, subscribers: 2, presenceConnections: 1, presenceMembers: 1, presenceSubscribers: 1,
            objectPublishers: 0, objectSubscribers: 0,
          },
        },
      });
    });

    test('a channel that nobody uses is not active', async () => {
      const { status } = await client.channels.get('nobody’s').status();
      assert.equal(status.isActive, false);
      assert.equal(status.occupancy.metrics.connections, 0);
    });

    test('active channels are listed by name, page by page', async (t) => {
      const prefix = `list:${format.name}:`;
      const names = Array.from({ length: 7 }, (_, i) => `${prefix}${i} ü`);
      const user = await connect(t, server, format);
      await Promise.all(names.map((name) => user.channels.get(name).attach()));
      assert.deepEqual(await pages(client.request('get', '/channels', 6, { prefix, limit: 3, by: 'id' })), names);
      const details = await pages(client.request('get', '/channels', 6, { prefix, limit: 3 }));
      assert.deepEqual(details.map(({ channelId, status }) => [channelId, status.occupancy.metrics.connections]), names.map((name) => [name, 1]));
    });
  });
}

test('only channels whose metadata one may see are shown', async (t) => {
  const user = await connect(t, server);
  for (const name of ['seen:1', 'hidden:1']) await user.channels.get(name).attach();
  const tokenFor = async (capability) => ({ token: (await rest(server).auth.requestToken({ capability })).token });
  const seer = rest(server, await tokenFor({ 'seen:*': ['channel-metadata'] }));
  assert.deepEqual(await pages(seer.request('get', '/channels', 6, { by: 'id' })), ['seen:1']);
  assert.equal((await seer.channels.get('seen:1').status()).status.isActive, true);
  assert.equal(await codeOf(seer.channels.get('hidden:1').status()), 40160);
  const subscriber = rest(server, await tokenFor({ '*': ['subscribe'] }));
  const { errorCode } = await subscriber.request('get', '/channels', 6);
  assert.equal(errorCode, 40160);
});

test('what is no channel, page or form is refused', async () => {
  const client = rest(server);
  assert.equal(await codeOf(client.channels.get(':bad').status()), 40010);
  for (const params of [{ limit: 0 }, { limit: 1001 }, { limit: 'x' }, { by: 'colour' }]) {
    assert.equal((await client.request('get', '/channels', 6, params)).errorCode, 40003, JSON.stringify(params));
  }
});
