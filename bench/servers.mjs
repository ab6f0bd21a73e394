// The servers that are measured: each on a free port of the loopback and on one core, with a data folder that goes with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const build = process.env.PALIMPSEST_BUILD ?? path.join(root, 'build/release');
export const palimpsest = path.join(build, 'palimpsest');
const floor = path.join(build, 'bench/floor');

export const serverCores = '0', generatorCores = '1';

let realtime = [];
export const setRealtime = (wanted) => (realtime = wanted ? ['chrt', '-r', '1'] : []);

/** A command on these cores: the program to start, and its arguments. */
export const pinned = (cores, ...command) => {
  const [program, ...args] = [...realtime, 'taskset', '-c', cores, ...command];
  return [program, args];
};

/** How each server is started. `port` finds where it listens in what it wrote; `args` are for the generator. */
const kinds = {
  palimpsest: (data, { shards = 1, settings }) => ({
    command: [palimpsest, 'serve', '--listen', '127.0.0.1:0', '--data', data, '--shards', String(shards), ...(settings ? ['--config', settings] : [])],
    port: /at=serving url=http:\/\/127\.0\.0\.1:(\d+)/,
    args: ['--key-file', path.join(data, 'api-key')],
    dialects: ['ably-json', 'ably-msgpack'],
  }),
  'floor-turn': () => ({ command: [floor, '--send', 'turn'], port: /^(\d+)$/m, args: ['--key', 'a.b:c'], dialects: ['ably-json', 'ably-msgpack'] }),
  'floor-each': () => ({ command: [floor, '--send', 'each'], port: /^(\d+)$/m, args: ['--key', 'a.b:c'], dialects: ['ably-json', 'ably-msgpack'] }),
};

export const kindNames = Object.keys(kinds);

/** Starts a server; resolves when it listens: {name, pids, dialects, args, stop()}. */
export async function start(name, options = {}) {
  const data = mkdtempSync(path.join(tmpdir(), 'palimpsest-bench-'));
  const kind = await kinds[name](data, options);
  const log = path.join(data, 'log'), out = openSync(log, 'w');
  const child = spawn(...pinned(options.cores ?? serverCores, ...kind.command), { stdio: ['ignore', out, out], cwd: data });
  let ended = null;
  const end = new Promise((resolve) => child.on('exit', (code, signal) => resolve((ended = `${code ?? signal}`))));
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await end;
    clearTimeout(late);
    rmSync(data, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const found = kind.port.exec(readFileSync(log, 'utf8'));
    if (found) {
      return { name, pids: [child.pid], dialects: kind.dialects, args: ['--server', `127.0.0.1:${found[1]}`, ...kind.args], stop };
    }
    if (ended !== null || Date.now() > deadline) {
      const wrote = readFileSync(log, 'utf8');
      await stop();
      throw new Error(`${name} does not listen (${ended ?? 'late'}); it wrote:\n${wrote}`);
    }
  }
}
