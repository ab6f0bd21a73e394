import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, freePort, run } from './process.mjs';
import { until } from './until.mjs';

export const program = process.env.PALIMPSEST_BIN ?? path.resolve(import.meta.dirname, '../../build/release/palimpsest');

/**
 * `palimpsest connect`, publishing to 127.0.0.1:`port`. `file` is its configuration by name and text, `args` and `env` go to it as they are.
 * Resolves when it says that it is ready or, with `awaitReady: false`, when it listens. Stopped after the test.
 */
export async function startConnect(t, options) {
  const folder = await mkdtemp(path.join(tmpdir(), 'palimpsest-connect-'));
  const connector = new Connect(folder, await freePort(), options);
  t.after(() => connector.remove());
  await connector.start(options);
  return connector;
}

class Connect {
  #child = null;

  constructor(folder, listen, { port, file, args = [], env = {} }) {
    Object.assign(this, { folder, listen, port, file, args, env });
  }

  get pid() {
    return this.#child.process.pid;
  }

  async start({ awaitReady = true } = {}) {
    const args = ['connect', '--listen', `127.0.0.1:${this.listen}`, '--endpoint', '127.0.0.1', '--port', `${this.port}`, '--no-tls', ...this.args];
    if (this.file) {
      await this.configure(this.file[1]);
      args.push('--config', path.join(this.folder, this.file[0]));
    }
    this.#child = new Child(program, args, { cwd: this.folder, env: { PATH: process.env.PATH, ...this.env } });
    const child = this.#child;
    await until(async () => child.how ?? (await this.get(awaitReady ? '/readyz' : '/healthz')).ok, 'the connector to be ready', 60_000).catch((error) => {
      throw new Error(`${error.message}; it wrote:\n${child.output}`);
    });
    if (child.how) throw new Error(`the connector ended (${JSON.stringify(child.how)}); it wrote:\n${child.output}`);
  }

  async configure(text) {
    await writeFile(path.join(this.folder, this.file[0]), text);
  }

  reload() {
    this.#child.process.kill('SIGHUP');
  }

  async kill9() {
    await this.#child.end('SIGKILL');
  }

  async stop() {
    return this.#child.end('SIGTERM');
  }

  log() {
    return this.#child.output;
  }

  async get(where) {
    const response = await fetch(`http://127.0.0.1:${this.listen}${where}`);
    return { ok: response.ok, status: response.status, text: await response.text() };
  }

  /** A figure of /metrics. */
  async metric(name) {
    const { text } = await this.get('/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    if (!line) throw new Error(`no metric ${name} in\n${text}`);
    return Number(line.slice(name.length + 1));
  }

  async remove() {
    const child = this.#child;
    const how = child.how ?? (await this.stop());
    await rm(this.folder, { recursive: true, force: true });
    if (!child.wasTold || (how.code !== 0 && how.signal !== 'SIGKILL') || /Sanitizer|runtime error:|assertion failed/.test(child.output)) {
      throw new Error(`the connector ended${child.wasTold ? '' : ' by itself'} with ${JSON.stringify(how)}; it wrote:\n${child.output}`);
    }
  }
}

/** SQL of a database, as lines with columns separated by |. */
export async function psql(url, sql) {
  return (await run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', '-'], sql)).split('\n').slice(0, -1);
}

/** The original connector's JSON file, for a Postgres of makePostgres(). `feeds` are [table, channel, operation]. */
export const originalJson = (postgres, key, feeds) => JSON.stringify({
  dbConfig: { host: postgres.folder, user: 'palimpsest', database: 'postgres' },
  connector: feeds.map(([tablename, ablychannelname, operation]) => ({ tablename, ablychannelname, operation })),
  ably: { apiKey: key },
}, null, 2);
