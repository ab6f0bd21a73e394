// Attacks by what messages and requests are made of: see attack.test.mjs.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until, within } from '../support/until.mjs';
import { many, report, startVictim } from './victim.mjs';

after(report);

const text = (bytes) => 'x'.repeat(bytes);
const frame_bytes_max = 524_288;

test('presence with long encodings', async (t) => {
  const victim = await startVictim(t, { growthMiB: 64 });
  await many(75, 5, async (i) => {
    const raw = await connectRaw(t, victim, { clientId: `c${i}` });
    await raw.next(ACTION.connected);
    raw.send({ action: ACTION.attach, channel: 'room' });
    await raw.next(ACTION.attached);
    raw.send({ action: ACTION.presence, channel: 'room', msgSerial: 0, presence: [{ action: 2, encoding: text(480_000) }] });
    await until(() => raw.frames.some(({ action }) => action === 1 || action === ACTION.nack), 'an answer');
    raw.vanish();
  });
  let largest = 0;
  const late = await connectRaw(t, victim, { clientId: 'late' });
  late.socket.on('message', (data) => (largest = Math.max(largest, data.length)));
  late.send({ action: ACTION.attach, channel: 'room' });
  await late.next(ACTION.attached);
  await victim.serves(t);
  if (victim.holds) assert.ok(largest <= frame_bytes_max, `a frame of ${largest} bytes`);
});

test('annotations by many long names', async (t) => {
  const victim = await startVictim(t, { growthMiB: 96 });
  const published = JSON.parse((await victim.publish('room', { name: 'n', data: 'd' })).text);
  const [serial] = published.serials;
  await many(500, 4, (i) => victim.post(`/channels/room/messages/${encodeURIComponent(serial)}/annotations`, [
    { type: 'reaction:distinct.v1', name: `${i}${text(4_000)}`, action: 0, clientId: 'ann', messageSerial: serial },
  ]));
  await victim.serves(t);
});

for (const [what, rest] of [['a chunk extension', '1;'], ['trailers', '0\r\n'], ['a header', null]]) {
  test(`${what} without an end`, async (t) => {
    const victim = await startVictim(t, { growthMiB: 32 });
    const head = 'POST /channels/x/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n';
    const sockets = await many(8, 8, () => victim.socket(t, rest === null ? `${head}X: ` : `${head}\r\n${rest}`));
    const line = rest === '0\r\n' ? 'X: ' : '';
    const piece = line ? `${line}${text(1_000)}\r\n`.repeat(250) : text(250_000);
    await many(64, 8, async (i) => {
      const socket = sockets[i % sockets.length];
      for (let sent = 0; sent < 4 && !socket.destroyed; ++sent) {
        await within(new Promise((resolve) => socket.write(piece, resolve)), 'the server to read', 2_000).catch(() => {});
      }
    });
    await victim.serves(t);
  });
}
