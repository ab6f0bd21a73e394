// The servers that are measured: each on a free port of the loopback and on one core, with a data folder that goes with it.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..'), peers = path.join(root, 'bench/peers');
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

const ably = ['ably-json', 'ably-msgpack'];
const floorThat = (sends) => () => ({ command: [floor, '--send', sends], port: /^(\d+)$/m, args: { key: 'a.b:c' }, dialects: ably });
const nodePeer = (name) => () => ({
  command: [process.execPath, path.join(peers, `${name}.mjs`)], port: /listening on (\d+)/, args: {}, dialects: [name],
  needs: path.join(peers, 'node_modules', name === 'ws' ? 'ws' : 'socket.io'),
});

/** How each server is started. `port` finds where it listens in what it wrote; `args` are for the generator. */
const kinds = {
  palimpsest: (data, { shards = 1, settings = '' }) => {
    writeFileSync(path.join(data, 'palimpsest.toml'), settings);
    const listening = ['--listen', '127.0.0.1:0', '--data', path.join(data, 'data')];
    return {
      command: [palimpsest, 'serve', ...listening, '--shards', String(shards)],
      port: /at=serving url=http:\/\/127\.0\.0\.1:(\d+)/,
      args: { 'key-file': path.join(data, 'data/api-key') },
      dialects: ably,
    };
  },
  up: async (data) => {
    chmodSync(data, 0o711);             // its Postgres may run as another user
    const port = await freePort();
    return {
      command: [palimpsest, 'up', '--listen', `127.0.0.1:${port}`, '--data', path.join(data, 'data'), '--shards', '1'],
      port, ready: '/readyz', args: { 'key-file': path.join(data, 'data/api-key') }, dialects: ably,
      argsFrom: (log) => ({ psql: `host=${/at=cluster_ready .*socket=(\S+)/.exec(log)[1]} user=postgres dbname=postgres` }),
    };
  },
  'floor-turn': floorThat('turn'),
  'floor-each': floorThat('each'),
  nats: () => ({
    command: ['/usr/sbin/nats-server', '-c', path.join(peers, 'nats.conf')], needs: '/usr/sbin/nats-server',
    port: /websocket clients on ws:\/\/127\.0\.0\.1:(\d+)[^]*Server is ready/, args: {}, dialects: ['nats'],
  }),
  nchan: async (data) => {
    const port = await freePort(), conf = path.join(data, 'nginx.conf');
    writeFileSync(conf, readFileSync(path.join(peers, 'nchan.conf'), 'utf8').replaceAll('FOLDER', data).replaceAll('PORT', port));
    return { command: ['/usr/sbin/nginx', '-p', data, '-c', conf], needs: '/usr/sbin/nginx', port, args: {}, dialects: ['nchan'] };
  },
  ws: nodePeer('ws'),
  socketio: nodePeer('socketio'),
};

/** Starts a server; resolves when it listens: {name, pids, dialects, args, stop()}. Nothing when it is not installed. */
export async function start(name, options = {}) {
  const data = mkdtempSync(path.join(tmpdir(), 'palimpsest-bench-'));
  const kind = await kinds[name](data, options);
  if (kind.needs && !existsSync(kind.needs)) {
    rmSync(data, { recursive: true });
    return null;
  }
  const log = path.join(data, 'log'), out = openSync(log, 'w');
  const child = spawn(...pinned(options.cores ?? serverCores, ...kind.command), { stdio: ['ignore', out, out], cwd: data });
  const stop = stopper(child, data);
  try {
    const port = await listening(child, log, kind);
    const args = { server: `127.0.0.1:${port}`, ...kind.args, ...kind.argsFrom?.(readFileSync(log, 'utf8')) };
    return { name, pids: [child.pid, ...(name === 'nchan' ? childrenOf(child.pid) : [])], dialects: kind.dialects, args, stop };
  } catch (error) {
    const wrote = readFileSync(log, 'utf8');
    await stop();
    throw new Error(`${name}: ${error.message}; it wrote:\n${wrote}`);
  }
}

function stopper(child, data) {
  const end = new Promise((resolve) => child.on('exit', resolve));
  return async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await end;
      clearTimeout(late);
    }
    rmSync(data, { recursive: true, force: true });
  };
}

/** Its port, when it says so or, given a number, when somebody listens there. */
async function listening(child, log, { port, ready = '/' }) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (typeof port !== 'number') {
      const found = port.exec(readFileSync(log, 'utf8'));
      if (found) return found[1];
    } else if (await fetch(`http://127.0.0.1:${port}${ready}`).then(({ status }) => status < 500, () => false)) {
      return port;
    }
  }
  throw new Error('it does not listen');
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
