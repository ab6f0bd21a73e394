import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, freePort } from '../support/process.mjs';
import { until, within } from '../support/until.mjs';

const program = process.env.PALIMPSEST_BIN ?? path.resolve(import.meta.dirname, '../../build/release/palimpsest');
/** A program from before these settings were there: to see what an attack cost it. Nothing is asserted of it. */
const before = process.env.ATTACK_BEFORE === '1';

const MiB = 1 << 20;
const rows = [];

/** Prints what each attack took. Call it when all are over. */
export function report() {
  console.log(`\n${'attack'.padEnd(64)} ${'at start'.padStart(9)} ${'at peak'.padStart(9)} ${'may grow'.padStart(9)}   MiB`);
  for (const { name, start, peak, bound } of rows) {
    const figures = [start, peak, bound].map((bytes) => (bytes / MiB).toFixed(0).padStart(9));
    console.log(`${name.padEnd(64)} ${figures.join(' ')}`);
  }
}

/**
 * `palimpsest serve` with `settings` as its palimpsest.toml, and `files` file descriptors, under attack: its memory may grow by
 * `growthMiB` from here to the end of the test, at any time between.
 */
export async function startVictim(t, { settings = '', files = 0, growthMiB }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'palimpsest-attack-'));
  const port = await freePort();
  await writeFile(path.join(folder, 'palimpsest.toml'), before ? '' : settings);
  const limit = files ? `ulimit -n ${files};` : '';
  const command = `${limit} exec "$0" serve --listen 127.0.0.1:${port} --data data`;
  const child = new Child('/bin/sh', ['-c', command, program], { cwd: folder, env: { PATH: process.env.PATH } });
  const victim = new Victim(child, port);
  await until(async () => child.how ?? (await victim.get('/healthz')).status === 200, 'the server to listen');
  victim.key = (await readFile(path.join(folder, 'data', 'api-key'), 'utf8')).trim();
  const start = await victim.memory('VmRSS');
  t.after(async () => {
    const peak = child.how ? NaN : await victim.memory('VmHWM');
    const how = child.how ?? (await child.end('SIGTERM'));
    await rm(folder, { recursive: true, force: true });
    rows.push({ name: t.name, start, peak, bound: growthMiB * MiB });
    if (before) return;
    assert.ok(child.wasTold && how.code === 0 && !/Sanitizer|runtime error:/.test(child.output), `it ended with ${JSON.stringify(how)}; it wrote:\n${child.output}`);
    assert.ok(peak - start <= growthMiB * MiB, `it grew by ${((peak - start) / MiB).toFixed(0)} MiB, and may by ${growthMiB}`);
  });
  return victim;
}

class Victim {
  #child;

  constructor(child, port) {
    this.#child = child;
    Object.assign(this, { port, origin: `http://127.0.0.1:${port}`, holds: !before });
  }

  log() {
    return this.#child.output;
  }

  /** VmRSS or VmHWM, in bytes. */
  async memory(name) {
    const status = await readFile(`/proc/${this.#child.process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  }

  get authorization() {
    return `Basic ${Buffer.from(this.key).toString('base64')}`;
  }

  /** One request on a connection of its own, from any loopback address. */
  request(method, where, { body, headers = {}, from = '127.0.0.1', timeoutMs = 10_000 } = {}) {
    const asked = new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, method, path: where, localAddress: from, agent: false, headers };
      const request = http.request(options, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece)).on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString() }));
      });
      request.on('error', reject).end(body);
    });
    return within(asked, `${method} ${where}`, timeoutMs);
  }

  get(where, options) {
    return this.request('GET', where, options);
  }

  /** Publishes by REST; the body is a message or a list of them. */
  publish(channel, body) {
    return this.post(`/channels/${encodeURIComponent(channel)}/messages`, body);
  }

  post(where, body) {
    return this.request('POST', where, {
      body: JSON.stringify(body), headers: { authorization: this.authorization, 'content-type': 'application/json' },
    });
  }

  /** A TCP connection that sends `text` and reads nothing until it is told to. Closed after the test. */
  async socket(t, text = '', from = '127.0.0.1') {
    const socket = net.connect({ host: '127.0.0.1', port: this.port, localAddress: from });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    socket.gone = new Promise((resolve) => socket.once('close', resolve));
    await within(new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)), 'a connection');
    socket.pause();
    if (text) socket.write(text);
    return socket;
  }

  /** Does it serve others meanwhile: is it well, and can one publish what another gets? */
  async serves(t) {
    for (const where of ['/healthz', '/metrics']) assert.equal((await this.get(where, { timeoutMs: 2_000 })).status, 200, where);
  }
}

/** `count` times, `abreast` at a time. */
export async function many(count, abreast, task) {
  let next = 0;
  const results = [];
  await Promise.all(Array.from({ length: abreast }, async () => {
    while (next < count) {
      const index = next++;
      results[index] = await task(index).catch((error) => ({ error }));
    }
  }));
  return results;
}

export { MiB };
