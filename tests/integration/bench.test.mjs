import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { Child } from '../support/process.mjs';
import { until } from '../support/until.mjs';

const program = process.env.PALIMPSEST_BIN, floor = process.env.FLOOR_BIN;

/** Runs palimpsest bench; gives its outcome and its exit status. */
function bench(...args) {
  return new Promise((resolve) => {
    execFile(program, ['bench', '--json', ...args], (error, out, complaint) => resolve({ code: error?.code ?? 0, complaint, outcome: out && JSON.parse(out) }));
  });
}

function assertWhole({ code, complaint, outcome }, { subscribers, publishers }) {
  assert.equal(code, 0, complaint);
  assert.equal(outcome.connections, subscribers + publishers);
  const { missing, duplicates, reordered, misrouted, refused, disconnected, lossless } = outcome;
  assert.deepEqual({ missing, duplicates, reordered, misrouted, refused, disconnected, lossless },
    { missing: 0, duplicates: 0, reordered: 0, misrouted: 0, refused: 0, disconnected: 0, lossless: true });
  assert.equal(outcome.acknowledged, outcome.sent);
  for (const [name, least] of [['latency_ms', 0.001], ['ack_ms', 0.001], ['lateness_ms', 0]]) {
    const { count, p50, p90, p99, p999, max } = outcome[name];
    assert.ok(count > 0 && p50 >= least && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max, JSON.stringify(outcome[name]));
  }
}

test('every subscriber of a channel gets every message of the schedule once and in order, in both formats', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', awaitReady: false });
  for (const dialect of ['ably-json', 'ably-msgpack']) {
    const run = await bench('--server', `127.0.0.1:${server.port}`, '--key', server.key, '--dialect', dialect,
      '--subscribers', '20', '--rate', '100', '--warmup', '0.1', '--seconds', '0.5', '--drain', '20');
    assertWhole(run, { subscribers: 20, publishers: 1 });
    assert.equal(run.outcome.sent, 60);
    assert.equal(run.outcome.expected, 60 * 20);
    assert.equal(run.outcome.delivered, 60 * 20);
    assert.equal(run.outcome.latency_ms.count, 50 * 20);
  }
});

test('channels have their own numbers, and publishers over REST are acknowledged too', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', awaitReady: false });
  const args = ['--server', `127.0.0.1:${server.port}`, '--key', server.key, '--channels', '6', '--subscribers', '12', '--publishers', '3',
    '--warmup', '0', '--seconds', '0.5', '--drain', '20'];
  assertWhole(await bench(...args, '--rate', '120'), { subscribers: 12, publishers: 3 });
  assertWhole(await bench(...args, '--rest'), { subscribers: 12, publishers: 3 });
});

test('the floor serves the same clients, gathering or not', async (t) => {
  for (const sends of ['turn', 'each']) {
    const child = new Child(floor, ['--send', sends]);
    t.after(() => child.end('SIGTERM'));
    const port = await until(() => Number(child.output), 'the floor to say its port');
    for (const dialect of ['ably-json', 'ably-msgpack']) {
      const run = await bench('--server', `127.0.0.1:${port}`, '--key', 'a.b:c', '--dialect', dialect, '--channels', '2', '--subscribers', '20',
        '--publishers', '2', '--rate', '200', '--warmup', '0', '--seconds', '0.5', '--drain', '20');
      assertWhole(run, { subscribers: 20, publishers: 2 });
      assert.equal(run.outcome.delivered, 100 * 10);
    }
  }
});

test('a reader that reads nothing until the end has missed nothing that the server could keep for it', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', awaitReady: false });
  const { code, complaint, outcome } = await bench('--server', `127.0.0.1:${server.port}`, '--key', server.key, '--subscribers', '2', '--slow', '1',
    '--rate', '400', '--payload', '4000', '--warmup', '0', '--seconds', '1', '--drain', '20');
  assert.equal(code, 0, complaint);
  const { slow_dropped: dropped, slow_missing: missing, slow_duplicates: duplicates } = outcome;
  assert.deepEqual({ dropped, missing, duplicates }, { dropped: 0, missing: 0, duplicates: 0 });
});

test('a reader that falls behind is dropped at its bound, comes back and resumes without a loss', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', awaitReady: false, settings: '[limits]\noutbound_bytes = 524288\n' });
  const { code, complaint, outcome } = await bench('--server', `127.0.0.1:${server.port}`, '--key', server.key, '--subscribers', '2', '--slow', '1',
    '--slow-rate', '300000', '--rate', '1000', '--payload', '2000', '--warmup', '0', '--seconds', '5', '--drain', '20');
  assert.equal(code, 0, complaint);
  const { slow_dropped: dropped, slow_resumed: resumed, slow_missing: missing, slow_duplicates: duplicates } = outcome;
  assert.ok(dropped > 0, 'it was not dropped');
  assert.deepEqual({ resumed, missing, duplicates }, { resumed: dropped, missing: 0, duplicates: 0 });
});

test('rows are followed from their commit to each subscriber, and no replication slot stays behind', async (t) => {
  const server = await startPalimpsest(t);
  const run = await bench('--server', `127.0.0.1:${server.port}`, '--key', server.key, '--subscribers', '5', '--channel', 'incoming-chat',
    '--psql', await server.conninfo(), '--sql', "INSERT INTO chat_data (msg_id, username, msg_data) VALUES (gen_random_uuid(), 'bench', '{}')",
    '--tap', 'palimpsest', '--rate', '50', '--warmup', '0', '--seconds', '1', '--drain', '30');
  assert.equal(run.code, 0, run.complaint);
  assert.equal(run.outcome.delivered, 50 * 5);
  const { commit, first, fan_out: fanOut, delivery } = run.outcome.stages_ms;
  assert.deepEqual([commit, first, fanOut, delivery].map(({ count }) => count), [50, 50, 250, 250]);
  assert.ok(commit.p50 > 0 && delivery.max >= first.p50);
  assert.deepEqual(await server.psql("SELECT slot_name FROM pg_replication_slots WHERE slot_name <> 'palimpsest'"), []);
});

test('a server that refuses is an error that says why, not a measurement', async (t) => {
  const server = await startPalimpsest(t, { command: 'serve', awaitReady: false });
  const run = await bench('--server', `127.0.0.1:${server.port}`, '--key', 'no.such:key', '--subscribers', '2');
  assert.equal(run.code, 1);
  assert.match(run.complaint, /a client was refused: .+/);
  assert.equal(run.outcome, '');
});
