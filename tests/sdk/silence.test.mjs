// Clients that are there and do nothing, and clients that are not there any more though their TCP connection is.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';

const server = await startPalimpsest({ after }, { command: 'serve' });

suite('silence', { concurrency: true }, () => {
  test('who answers pings stays, in whichever way it is kept awake; who answers none is given up', async (t) => {
    const mute = await Promise.all(['true', 'false'].map((heartbeats) => connectRaw(t, server, { heartbeats }, { autoPong: false })));
    const there = await Promise.all(['true', 'false'].map((heartbeats) => connectRaw(t, server, { heartbeats })));
    await within(Promise.all(mute.map(({ closed }) => closed)), 'the mute ones to be given up', 60_000);
    for (const { frames } of mute) {
      const told = frames.filter(({ action }) => action !== 0).map(({ action, error }) => [action, error?.code]);
      assert.deepEqual(told, [[ACTION.connected, undefined], [6, 80003]]);
    }
    assert.deepEqual(there.map(({ socket }) => socket.readyState), [1, 1]);
  });

  test('a comet client that does not ask any more is given up, and can resume', async (t) => {
    const watcher = await connect(t, server);
    const seen = [];
    await watcher.channels.get('watched').presence.subscribe(({ action }) => seen.push(action));
    const ask = async (path, params, body) => {
      const query = new URLSearchParams({ key: server.key, v: '6', stream: 'false', ...params });
      const init = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(`${server.origin}/comet/${path}?${query}`, init);
      return response.status === 200 ? response.json() : response.status;
    };
    const [{ connectionId, connectionDetails: { connectionKey } }] = await ask('connect', { clientId: 'ada', remainPresentFor: '0' });
    await ask(`${connectionKey}/send`, {}, [{ action: 10, channel: 'watched' }]);
    await until(async () => (await ask(`${connectionKey}/recv`)).some(({ action }) => action === ACTION.attached), 'the attachment');
    await ask(`${connectionKey}/send`, {}, [{ action: 14, channel: 'watched', msgSerial: 0, presence: [{ action: 2 }] }]);
    await until(() => seen.length === 2, 'the leave', 60_000);
    const [again] = await ask('connect', { clientId: 'ada', resume: connectionKey });
    assert.deepEqual([seen, again.connectionId, again.error], [['enter', 'leave'], connectionId, undefined]);
  });
});
