// How long a change takes to the second browser, and a publish to its ACK: node bench/chat.mjs [--rate 100] [--seconds 20]
//
// Starts build/release/palimpsest (or PALIMPSEST_BIN) with a private Postgres. A writer commits single-row transactions on a fixed
// schedule through one psql; a subscriber, a process of its own with the official SDK, notes when its callback is called. Both read
// the same clock. Needs what ./test installs.
import { fork, spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Ably, change, options } from '../tests/support/clients.mjs';
import { startPalimpsest } from '../tests/support/palimpsest.mjs';
import { makeScope } from '../tests/support/scope.mjs';

const { values } = parseArgs({ options: { rate: { type: 'string', default: '100' }, seconds: { type: 'string', default: '20' } } });
const rate = Number(values.rate), count = rate * Number(values.seconds);
const now = () => performance.timeOrigin + performance.now();

if (process.send) await subscribe(JSON.parse(process.env.BENCH_SERVER));
else await measure();

/** The second browser: tells its parent when each row came. */
async function subscribe(server) {
  const ably = new Ably.Realtime(options(server));
  await ably.channels.get('incoming-chat').subscribe((message) => {
    const at = now();
    if (message.name === change) process.send({ id: JSON.parse(message.data).row.msg_id, at });
  });
  process.send('attached');
}

async function measure() {
  const scope = makeScope();
  const server = await startPalimpsest(scope);
  try {
    const idle = await memory();
    const arrived = new Map();
    const subscriber = fork(import.meta.filename, { env: { ...process.env, BENCH_SERVER: JSON.stringify({ ...server }) } });
    scope.after(() => subscriber.kill());
    await new Promise((resolve) => subscriber.on('message', (said) => (said === 'attached' ? resolve() : arrived.set(said.id, said.at))));

    const writes = await commit(server, 'row');
    await whileMissing(arrived, writes);
    const acks = await publish(server);

    console.log(`${os.cpus()[0].model}, ${os.cpus().length} cores, Node ${process.version}; ${count} messages at ${rate}/s, ms:`);
    print('commit answered to psql → SDK callback', writes.map(({ id, answered }) => arrived.get(id) - answered));
    print('INSERT sent by psql → SDK callback', writes.map(({ id, sent }) => arrived.get(id) - sent));
    print('INSERT sent by psql → answered', writes.map(({ sent, answered }) => answered - sent));
    print('SDK publish → ACK (row committed)', acks);
    console.log(`resident memory of up, idle: palimpsest ${idle.palimpsest.toFixed(1)} MB, its Postgres ${idle.postgres.toFixed(1)} MB (PSS)`);
  } finally {
    await scope.end();
  }
}

/** Calls step(i) on schedule, whatever the steps before are doing. */
async function onSchedule(step) {
  const start = now();
  for (let i = 0; i < count; ++i) {
    const due = start + (i * 1000) / rate;
    while (now() < due) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - now())));
    step(i);
  }
}

async function commit(server, prefix) {
  const pid = (await readFile(path.join(server.data, 'data', 'postgres', 'pgdata', 'postmaster.pid'), 'utf8')).split('\n');
  const psql = spawn('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', `host=${pid[4]} user=postgres dbname=postgres`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const writes = [];
  let answered = 0;
  createInterface({ input: psql.stdout }).on('line', () => (writes[answered++].answered = now()));
  await onSchedule((i) => {
    const id = `${prefix}-${i}`;
    writes.push({ id, sent: now() });
    psql.stdin.write(`INSERT INTO chat_data (msg_id, username, msg_data) VALUES ('${id}', 'bench', repeat('x', 128)) RETURNING id;\n`);
  });
  psql.stdin.end();
  await new Promise((resolve) => psql.on('close', resolve));
  return writes;
}

async function whileMissing(arrived, writes) {
  for (const deadline = now() + 10_000; writes.some(({ id }) => !arrived.has(id)); ) {
    if (now() > deadline) throw new Error('changes are missing');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function publish(server) {
  const ably = new Ably.Realtime(options(server, { clientId: 'bench' }));
  const channel = ably.channels.get('outgoing-chat');
  await ably.connection.whenState('connected');
  const acks = [];
  await onSchedule((i) => {
    const sent = now();
    acks.push(channel.publish('chatMsg', { username: 'bench', content: `message ${i}` }).then(() => now() - sent));
  });
  const taken = await Promise.all(acks);
  ably.close();
  return taken;
}

/** Proportional set size, so that what Postgres's processes share counts once. */
async function memory() {
  const sums = { palimpsest: 0, postgres: 0 };
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [name, smaps] = await Promise.all(['comm', 'smaps_rollup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')));
    const kb = Number(/^Pss:\s+(\d+)/m.exec(smaps)?.[1] ?? 0);
    if (name.trim() in sums) sums[name.trim()] += kb / 1024;
  }
  return sums;
}

function print(name, figures) {
  figures.sort((a, b) => a - b);
  const at = (share) => figures[Math.min(figures.length - 1, Math.floor(figures.length * share))].toFixed(2).padStart(8);
  console.log(`  ${name.padEnd(42)} p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(1)}`);
}
