// What reading a replication slot costs here, against pg_recvlogical and a bare libpq loop, on a Postgres of its own:
//   cmake --build --preset release --target connector_consumer && node bench/connector/run.mjs
// Options: --rows N --transaction N --backlog N --rounds N --seconds N --tcp --only decode,deliver,rest,memory,latency,writer
// Prints ratios, and everything as a line of JSON.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startConnect } from '../../tests/support/connect.mjs';
import { startPalimpsest } from '../../tests/support/palimpsest.mjs';
import { makeScope } from '../../tests/support/scope.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '300000' },
    transaction: { type: 'string', default: '1000000' },
    backlog: { type: 'string', default: '5000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    tcp: { type: 'boolean', default: false },
    only: { type: 'string', default: 'decode,deliver,rest,memory,latency,writer' },
    postgres: { type: 'string', default: '/usr/lib/postgresql/15/bin' },
    consumer: { type: 'string', default: 'build/release/bench/connector/connector_consumer' },
  },
});
const rows = Number(options.rows), rounds = Number(options.rounds), seconds = Number(options.seconds);
const wanted = new Set(options.only.split(','));

// ---- Postgres

const folder = mkdtempSync('/tmp/palimpsest-bench-');
const isRoot = process.getuid() === 0;
if (isRoot) {
  chmodSync(folder, 0o755);
  execFileSync('chown', ['postgres', folder]);
}
const asOwner = (...command) => {
  const [program, ...args] = isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command;
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' });
};
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const port = await freePort();
const bin = (name) => `${options.postgres}/${name}`;
asOwner(bin('initdb'), '-D', `${folder}/data`, '-U', 'postgres', '-A', 'trust', '--no-sync');
const settings = {
  port, unix_socket_directories: folder, listen_addresses: '127.0.0.1', wal_level: 'logical', max_wal_size: '16GB',
  max_replication_slots: 40, max_wal_senders: 40, shared_buffers: '256MB', autovacuum: 'off', checkpoint_timeout: '1h',
};
const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(' ');
asOwner(bin('pg_ctl'), '-D', `${folder}/data`, '-l', `${folder}/log`, '-o', flags, '-w', 'start');
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  try { asOwner(bin('pg_ctl'), '-D', `${folder}/data`, '-m', 'immediate', '-w', 'stop'); } catch {}
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const conninfo = `host=${options.tcp ? '127.0.0.1' : folder} port=${port} user=postgres dbname=postgres`;
const sql = (text, settings = '') =>
  execFileSync(bin('psql'), [conninfo, '-XAtqc', text], { encoding: 'utf8', env: { ...process.env, PGOPTIONS: settings } }).trim();

sql(`CREATE TABLE bench (id bigserial PRIMARY KEY, sent bigint, body text)`);
sql(`CREATE PUBLICATION bench FOR TABLE bench WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)`);
sql(`CREATE PROCEDURE load(total int, each int) LANGUAGE plpgsql AS $$ BEGIN
  FOR i IN 1..total / each LOOP
    INSERT INTO bench (sent, body) SELECT 1, repeat('x', 64) FROM generate_series(1, each);
    COMMIT;
  END LOOP; END $$`);

let slots = 0;
const newSlot = () => {
  const name = `slot_${++slots}`;
  sql(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  return name;
};
const copySlot = (from) => {
  const name = `slot_${++slots}`;
  sql(`SELECT pg_copy_logical_replication_slot('${from}', '${name}')`);
  return name;
};
const becomes = async (slot, active) => {
  while (sql(`SELECT active FROM pg_replication_slots WHERE slot_name = '${slot}'`) !== active) await setTimeout(50);
};
const dropSlot = async (name) => {
  await becomes(name, 'f');
  sql(`SELECT pg_drop_replication_slot('${name}')`);
};

// ---- consumers

const recvlogical = (slot, streaming, ...more) => [
  bin('pg_recvlogical'), '-d', conninfo, '--slot', slot, '--start', '-f', '/dev/null', '-o', `proto_version=${streaming ? 2 : 1}`,
  ...(streaming ? ['-o', 'streaming=on'] : []), '-o', 'publication_names=bench', ...more,
];
const consumer = (mode, slot, count, ...more) => [options.consumer, mode, conninfo, slot, 'bench', String(count), ...more];

const start = (command) => {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.output = '';
  child.stdout.on('data', (data) => { child.output += data; });
  child.ended = new Promise((resolve, reject) => {
    child.on('exit', (code, signal) => {
      children.delete(child);
      if (code === 0 || signal) resolve();
      else reject(new Error(`${command[0]} ended with ${code}`));
    });
  });
  return child;
};
const report = (child) => JSON.parse(child.output.trim().split('\n').findLast((line) => line.startsWith('{')) ?? '{}');

/// Runs a command to its end: { wall_s, cpu_s, …what it says itself }.
const timed = async (command) => {
  const before = process.hrtime.bigint();
  const child = start(['bash', '-c', 'TIMEFORMAT="{\\"user\\":%3U,\\"sys\\":%3S}"; { time "$@" 2>&3; } 3>&2 2>&1', 'bash', ...command]);
  await child.ended;
  const wall = Number(process.hrtime.bigint() - before) / 1e9;
  const times = report(child);
  const own = child.output.split('\n').find((line) => line.startsWith('{"rows"'));
  return { wall_s: wall, cpu_s: times.user + times.sys, ...(own ? JSON.parse(own) : {}) };
};

/// `palimpsest connect` publishing all of a slot's backlog to a `palimpsest serve` over HTTP on loopback, until it is acknowledged.
const overRest = async (slot, count) => {
  const scope = makeScope();
  const server = await startPalimpsest(scope, { command: 'serve' });
  const settings = `[connector]\nslot = "${slot}"\npublication = "bench"\n[[connector.tables]]\ntable = "bench"\nchannel = "rows"\n`;
  const before = process.hrtime.bigint();
  const connector = await startConnect(scope, {
    port: server.port, file: ['palimpsest.toml', settings], env: { DATABASE_URL: conninfo, ABLY_API_KEY: server.key }, awaitReady: false,
  });
  while ((await connector.metric('palimpsest_connector_published_total')) < count) await setTimeout(20);
  const wall = Number(process.hrtime.bigint() - before) / 1e9;
  const [utime, stime] = readFileSync(`/proc/${connector.pid}/stat`, 'utf8').split(' ').slice(13, 15).map(Number);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${connector.pid}/status`, 'utf8'))[1]);
  await scope.end();
  return { wall_s: wall, cpu_s: (utime + stime) / 100, peak_kb: peak };
};
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const number = (value) => Math.round(value).toLocaleString('en');

/// A backlog, and what each kind of reader makes of it, by turns.
const backlog = async (name, count, fill, streaming, kinds) => {
  const template = newSlot();
  fill();
  const end = sql('SELECT pg_current_wal_insert_lsn()');
  sql(`INSERT INTO bench (sent, body) VALUES (1, 'end')`);
  const runs = Object.fromEntries(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; ++round) {
    for (const kind of kinds) {
      const slot = copySlot(template);
      const command = kind === 'pg_recvlogical' ? recvlogical(slot, streaming, '--endpos', end) : consumer(kind, slot, count);
      runs[kind].push(kind === 'rest' ? await overRest(slot, count) : await timed(command));
      await dropSlot(slot);
      if (kind === 'deliver' || kind === 'rest') sql('DELETE FROM palimpsest.channel_tail');
    }
  }
  await dropSlot(template);
  const result = { rows: count };
  for (const kind of kinds) {
    result[kind] = {
      rows_per_s: Math.round(count / median(runs[kind].map((run) => run.wall_s))),
      cpu_us_per_row: Number(median(runs[kind].map((run) => (run.cpu_s * 1e6) / count)).toFixed(2)),
      cores: Number(median(runs[kind].map((run) => run.cpu_s / run.wall_s)).toFixed(2)),
      peak_mb: runs[kind][0].peak_kb ? Math.round(Math.max(...runs[kind].map((run) => run.peak_kb)) / 1024) : undefined,
    };
    const { rows_per_s, cores, cpu_us_per_row, peak_mb } = result[kind];
    const ratio = rows_per_s / result[kinds[0]].rows_per_s;
    console.log(`${name.padEnd(26)} ${kind.padEnd(15)} ${number(rows_per_s).padStart(9)} rows/s  x ${ratio.toFixed(2)}  ` +
      `${cores.toFixed(2)} cores  ${cpu_us_per_row.toFixed(1)} µs a row  ${peak_mb ? `${peak_mb} MB` : ''}`);
  }
  return result;
};

const results = {
  cpu: cpus()[0].model, cores: cpus().length, load_before: loadavg()[0],
  connection: options.tcp ? 'TCP' : 'unix socket', rounds,
};
const loaded = (total, each) => () => sql(`CALL load(${total}, ${each})`, '-c synchronous_commit=off');

if (wanted.has('decode') || wanted.has('deliver') || wanted.has('rest')) {
  const kinds = ['pg_recvlogical', 'bare'];
  if (wanted.has('decode')) kinds.push('drop');
  for (const kind of ['deliver', 'rest']) if (wanted.has(kind)) kinds.push(kind);
  results.one_row_per_transaction = await backlog('one row per transaction', rows, loaded(rows, 1), false, kinds);
  results.hundred_rows_per_transaction = await backlog('100 rows per transaction', 2 * rows, loaded(2 * rows, 100), false, kinds);
  const count = Number(options.transaction);
  results.one_transaction = await backlog('one transaction, in pieces', count, loaded(count, count), true, kinds);
}

if (wanted.has('memory')) {
  const count = Number(options.backlog);
  const slot = newSlot();
  loaded(count, 100)();
  const other = copySlot(slot);
  results.memory = { changes: count };
  results.memory.drop = await timed(consumer('drop', slot, count));
  results.memory.deliver = await timed(consumer('deliver', other, count));
  await dropSlot(slot);
  await dropSlot(other);
  sql('DELETE FROM palimpsest.channel_tail');
  for (const kind of ['drop', 'deliver'])
    console.log(`a backlog of ${number(count)} changes   ${kind}: at most ${Math.round(results.memory[kind].peak_kb / 1024)} MB resident`);
}

const script = `${folder}/insert.sql`;
writeFileSync(script, `INSERT INTO bench (sent, body)
  VALUES ((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, repeat('x', 64));`);
const pgbench = (...args) =>
  execFileSync(bin('pgbench'), ['-n', '-f', script, ...args, conninfo], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const isStreaming = async (slot) => {
  await becomes(slot, 't');
  await setTimeout(500);
};

if (wanted.has('latency')) {
  const runs = { bare: [], deliver: [] };
  for (let round = 0; round < rounds; ++round) {
    for (const kind of Object.keys(runs)) {
      const slot = newSlot();
      const child = start(consumer(kind, slot, 100 * (seconds - 1), 'times'));
      await isStreaming(slot);
      pgbench('-c', '1', '-R', '100', '-T', String(seconds + 1));
      await child.ended;
      runs[kind].push(report(child));
      await dropSlot(slot);
      if (kind === 'deliver') sql('DELETE FROM palimpsest.channel_tail');
    }
  }
  const of = (kind, percentile) => median(runs[kind].map((run) => run[percentile]));
  results.latency_us = {};
  for (const kind of Object.keys(runs)) results.latency_us[kind] = { p50: of(kind, 'p50_us'), p99: of(kind, 'p99_us') };
  const { bare, deliver } = results.latency_us;
  results.latency_us.added = { p50: deliver.p50 - bare.p50, p99: deliver.p99 - bare.p99 };
  for (const [kind, { p50, p99 }] of Object.entries(results.latency_us))
    console.log(`INSERT → subscriber at 100/s   ${kind.padEnd(8)} p50 ${p50} µs   p99 ${p99} µs`);
}

if (wanted.has('writer')) {
  const tps = { nobody: [], pg_recvlogical: [], deliver: [], 'NOTIFY trigger': [] };
  sql(`CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('bench', row_to_json(new)::text); RETURN new; END $$`);
  for (let round = 0; round < rounds; ++round) {
    for (const kind of Object.keys(tps)) {
      const reads = kind === 'pg_recvlogical' || kind === 'deliver';
      const slot = reads ? newSlot() : undefined;
      const child = reads ? start(kind === 'deliver' ? consumer('deliver', slot, 1e12) : recvlogical(slot, true)) : undefined;
      if (reads) await isStreaming(slot);
      if (kind === 'NOTIFY trigger') sql('CREATE TRIGGER tell AFTER INSERT ON bench FOR EACH ROW EXECUTE FUNCTION tell()');
      tps[kind].push(Number(/tps = ([\d.]+)/.exec(pgbench('-c', '8', '-j', '2', '-T', String(seconds)))[1]));
      if (kind === 'NOTIFY trigger') sql('DROP TRIGGER tell ON bench');
      if (reads) {
        child.kill('SIGKILL');
        await child.ended;
        await dropSlot(slot);
        if (kind === 'deliver') sql('DELETE FROM palimpsest.channel_tail');
      }
    }
  }
  results.commits_per_s = Object.fromEntries(Object.entries(tps).map(([kind, list]) => [kind, Math.round(median(list))]));
  for (const [kind, value] of Object.entries(results.commits_per_s)) {
    const ratio = value / results.commits_per_s.pg_recvlogical;
    console.log(`INSERT commits/s, 8 clients, read by ${kind.padEnd(15)} ${number(value).padStart(7)}  x ${ratio.toFixed(2)}`);
  }
}

console.log(JSON.stringify(results));
process.exit(0);
