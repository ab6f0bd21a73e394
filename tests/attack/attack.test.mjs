// Attacks on the whole server, each with what it may cost: docs/decisions/0015. ATTACK_BEFORE=1 PALIMPSEST_BIN=… runs them against an
// older program, for the table, and asserts nothing of its memory.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ACTION, connectRaw } from '../support/raw.mjs';
import { until } from '../support/until.mjs';
import { many, report, startVictim } from './victim.mjs';

after(report);

const text = (bytes) => 'x'.repeat(bytes);
/** Fills a channel's log: messages of 6 KB, in requests of ten. */
const fill = (victim, channel, requests) =>
  many(requests, 4, () => victim.publish(channel, Array.from({ length: 10 }, () => ({ name: 'n', data: text(6_000) }))));
const history = (victim, channel) =>
  `GET /channels/${channel}/messages?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: ${victim.authorization}\r\n\r\n`;

test('readers that ask for much and take nothing', async (t) => {
  // Of 256 MiB: the logs' share, a fifth for all answers together, and what pages need while they are made. Below the step where load is shed.
  const victim = await startVictim(t, { settings: '[limits]\nmemory_bytes = 268435456\n', growthMiB: 192 });
  await fill(victim, 'full', 300);
  await many(40, 40, () => victim.socket(t, history(victim, 'full')));
  await many(20, 20, () => victim.socket(t, history(victim, 'full').repeat(20)));  // pipelined
  await until(() => victim.get('/healthz').then(({ status }) => status === 200), 'it to be well');
  await new Promise((resume) => setTimeout(resume, 500));  // what is to be queued is
  await victim.serves(t);
});

test('readers that take a byte now and then are let go in time', async (t) => {
  const victim = await startVictim(t, { settings: '[limits]\nunread_seconds = 1\n', growthMiB: 128 });
  if (!victim.holds) return;
  await fill(victim, 'full', 300);
  const sockets = await many(10, 10, () => victim.socket(t, history(victim, 'full').repeat(5)));
  const drip = setInterval(() => sockets.forEach((socket) => socket.read(1)), 100);
  t.after(() => clearInterval(drip));
  await until(() => (victim.log().match(/at=slow_reader why=too_long/g) ?? []).length === 10, 'all to be dropped', 20_000);
});

test('channels that are only published on', async (t) => {
  const victim = await startVictim(t, { settings: '[limits]\nmemory_bytes = 134217728\n', growthMiB: 128 });
  assert.equal((await victim.publish('known', { name: 'first', data: 'd' })).status, 201);
  const answers = await many(2_500, 4, (i) => victim.post('/messages', [
    { channels: Array.from({ length: 100 }, (_, j) => `c${i}:${j}`), messages: { name: 'n', data: text(100) } },
  ]));
  if (!victim.holds) return;
  assert.ok(answers.some(({ text: body }) => body?.includes('42910')), 'none was refused');
  assert.equal((await victim.publish('known', { name: 'second', data: 'd' })).status, 201);
  const known = JSON.parse((await victim.get('/channels/known/messages', { headers: { authorization: victim.authorization } })).text);
  assert.deepEqual(known.map(({ name }) => name), ['second', 'first']);
  await victim.serves(t);
});

test('logs of many channels', async (t) => {
  const victim = await startVictim(t, { settings: '[limits]\nmemory_bytes = 134217728\n', growthMiB: 128 });
  assert.equal((await victim.publish('known', { name: 'first', data: 'd' })).status, 201);
  await many(6_000, 4, (i) => victim.publish(`big${i % 60}`, { name: 'n', data: text(60_000) }));
  if (!victim.holds) return;
  const known = await victim.get('/channels/known/messages', { headers: { authorization: victim.authorization } });
  assert.equal(JSON.parse(known.text).length, 1);
  await victim.serves(t);
});

test('rewind of many channels by many names', async (t) => {
  const victim = await startVictim(t, { growthMiB: 96 });
  await fill(victim, 'full', 100);
  for (let client = 0; client < 4; ++client) {
    const raw = await connectRaw(t, victim);
    await raw.next(ACTION.connected);
    raw.socket.pause();
    for (let i = 0; i < 200; ++i) raw.send({ action: ACTION.attach, channel: `[?rewind=100&alias=${i}]full` });
  }
  await new Promise((resume) => setTimeout(resume, 1_000));
  await victim.serves(t);
});

test('subscribers that do not read, beyond the process\'s memory', async (t) => {
  const victim = await startVictim(t, { settings: '[limits]\nmemory_bytes = 268435456\n', growthMiB: 300 });
  const readers = await many(150, 10, async (i) => {
    const raw = await connectRaw(t, victim);
    await raw.next(ACTION.connected);
    raw.send({ action: ACTION.attach, channel: `busy${i}` });
    await raw.next(ACTION.attached);
    raw.socket.pause();
    return raw;
  });
  assert.ok(readers.every((raw) => raw.socket));
  const published = await many(9_000, 4, (i) => victim.publish(`busy${i % 150}`, { name: `${i}`, data: text(60_000) }));
  if (!victim.holds) return;
  // What was acknowledged last on a channel is there, whatever was refused.
  const last = published.findLastIndex(({ status }, i) => status === 201 && i % 150 === 7);
  await until(async () => {
    const { status, text: body } = await victim.get('/channels/busy7/messages?limit=1', { headers: { authorization: victim.authorization } });
    return status === 200 && JSON.parse(body)[0].name === `${last}`;
  }, 'the last message that was acknowledged', 30_000);
  await victim.serves(t);
});

test('token requests from one address', async (t) => {
  const settings = '[addresses]\nexempt = []\nconnections_per_second = 0\ntoken_requests_per_second = 20\n';
  const victim = await startVictim(t, { settings, growthMiB: 32 });
  const exchange = async (from) => {
    const { status, text: body } = await victim.get('/auth', { from });
    if (status !== 200) return { status, body };
    return victim.request('POST', `/keys/${JSON.parse(body).keyName}/requestToken`, { from, body, headers: { 'content-type': 'application/json' } });
  };
  const answers = await many(500, 10, () => exchange('127.0.0.1'));
  assert.equal(answers.filter(({ body, text: answer }) => `${body}${answer}`.includes('40105')).length, 0);
  if (!victim.holds) return;
  assert.ok(answers.some(({ status, body }) => status === 429 && body?.includes('42910')), 'none was refused');
  assert.equal((await exchange('127.0.0.2')).status, 201);
});

test('a flood of connections, with few file descriptors', async (t) => {
  const victim = await startVictim(t, { files: 256, growthMiB: 64 });
  const subscriber = await connectRaw(t, victim);
  subscriber.send({ action: ACTION.attach, channel: 'room' });
  await subscriber.next(ACTION.attached);
  await many(400, 50, () => victim.socket(t));
  if (!victim.holds) return;
  for (let i = 0; i < 5; ++i) await victim.serves(t);
  assert.equal((await victim.publish('room', { name: 'n' })).status, 503);
  subscriber.send({ action: ACTION.message, channel: 'room', msgSerial: 0, messages: [{ name: 'still here' }] });
  await subscriber.next(ACTION.message);
});

test('an address that opens many connections and sends its requests slowly', async (t) => {
  const settings = '[addresses]\nexempt = []\nconnections = 100\nconnections_per_second = 0\n';
  const victim = await startVictim(t, { settings, growthMiB: 32 });
  const sockets = await many(400, 50, (i) => victim.socket(t, 'GET / HTTP/1.1\r\nHost: ', '127.0.0.9'));
  const slowly = setInterval(() => sockets.forEach((socket) => socket.write('x')), 100);
  t.after(() => clearInterval(slowly));
  if (!victim.holds) return;
  const { status } = await victim.get('/healthz', { from: '127.0.0.9' }).catch(() => ({ status: 'cut' }));
  assert.ok(status === 429 || status === 'cut', `${status}`);
  await victim.serves(t);
  // Those who do not finish a request in time are let go, and others of their address come in.
  await until(() => victim.get('/healthz', { from: '127.0.0.9' }).then((answer) => answer.status === 200), 'the address to be served again', 30_000);
});

test('an address behind a trusted proxy is counted by itself', async (t) => {
  const settings = '[addresses]\ntrusted_proxies = ["127.0.0.1"]\nexempt = []\ntoken_requests_per_second = 5\n';
  const victim = await startVictim(t, { settings, growthMiB: 32 });
  const ask = (client) => victim.get('/auth', { headers: { 'x-forwarded-for': `9.9.9.9, ${client}` } });
  const answers = await many(30, 1, () => ask('192.0.2.1'));
  if (!victim.holds) return;
  assert.ok(answers.some(({ status }) => status === 429));
  assert.equal((await ask('192.0.2.2')).status, 200);
  assert.equal((await victim.get('/auth', { from: '127.0.0.5', headers: { 'x-forwarded-for': '192.0.2.1' } })).status, 200);  // nobody's proxy
});
