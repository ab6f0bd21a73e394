import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, freePort, run } from './process.mjs';
import { until } from './until.mjs';

const program = process.env.PALIMPSEST_BIN ?? path.resolve(import.meta.dirname, '../../build/release/palimpsest');
const page = process.env.PALIMPSEST_WEB ?? path.resolve(import.meta.dirname, '../../web/.output/public');

/**
 * `palimpsest up` (or another `command`) with a data folder of its own, on a port that stays its own over restarts. With
 * `databaseUrl` it uses that Postgres, else a private one; `settings` are its palimpsest.toml. Resolves when it is ready or, with
 * `awaitReady: false`, when it listens. It is stopped after the test `t`, or after the file when `t` is {after} of node:test.
 */
export async function startPalimpsest(t, options = {}) {
  const data = await mkdtemp(path.join(tmpdir(), 'palimpsest-test-'));
  await chmod(data, 0o711);             // the private Postgres may run as another user
  if (options.settings) await writeFile(path.join(data, 'palimpsest.toml'), options.settings);
  const server = new Palimpsest(data, await freePort(), options);
  t.after(() => server.remove());
  await server.start(options);
  return server;
}

class Palimpsest {
  #child = null;

  constructor(data, port, { command = 'up', args = [], databaseUrl = '' }) {
    Object.assign(this, { data, port, command, args, databaseUrl, origin: `http://127.0.0.1:${port}` });
  }

  async start({ awaitReady = true } = {}) {
    const args = [this.command, '--listen', `127.0.0.1:${this.port}`, '--data', path.join(this.data, 'data'), '--web', page, ...this.args];
    this.#child = new Child(program, args, { cwd: this.data, env: { PATH: process.env.PATH, DATABASE_URL: this.databaseUrl } });
    await this.#until(() => this.status(awaitReady ? '/readyz' : '/healthz').then((status) => status === 200));
    this.key = (await readFile(path.join(this.data, 'data', 'api-key'), 'utf8')).trim();
  }

  /** Ends it as a power cut would. */
  async kill9() {
    await this.#child.end('SIGKILL');
  }

  /** Ends it as Ctrl-C does, or by another signal; gives {code, signal}. */
  async stop(signal = 'SIGINT') {
    return this.#child.end(signal);
  }

  /** Gives it another palimpsest.toml, and has it read again. */
  async reload(settings) {
    await writeFile(path.join(this.data, 'palimpsest.toml'), settings);
    this.#child.process.kill('SIGHUP');
  }

  async restart(options) {
    await this.stop();
    await this.start(options);
  }

  /** Ends it, if it has not been told to yet. It must not have ended by itself, must end well, and please every sanitizer. */
  async remove() {
    const child = this.#child;
    const how = child.how ?? (await this.stop());
    await rm(this.data, { recursive: true, force: true });
    if (!child.wasTold || how.code !== 0 || /Sanitizer|runtime error:/.test(this.log())) {
      throw new Error(`palimpsest ended${child.wasTold ? '' : ' by itself'} with ${JSON.stringify(how)}; it wrote:\n${this.log()}`);
    }
  }

  /** The HTTP status of a GET. Throws when nobody listens. */
  async status(where) {
    const response = await fetch(this.origin + where);
    await response.arrayBuffer();
    return response.status;
  }

  async getJson(where, init) {
    const response = await fetch(this.origin + where, init);
    if (!response.ok) throw new Error(`GET ${where}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Runs SQL as the superuser of its database; gives the rows as lines, columns separated by |. */
  async psql(sql) {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', await this.conninfo(), '-f', '-'];
    return (await run('psql', args, sql)).split('\n').slice(0, -1);
  }

  /** Of its database, as libpq takes it. */
  async conninfo() {
    return this.databaseUrl || this.#privateDatabase();
  }

  /** All rows of the chat, oldest first, as objects. */
  async rows() {
    return (await this.psql('SELECT to_json(c) FROM chat_data c ORDER BY id')).map((line) => JSON.parse(line));
  }

  log() {
    return this.#child.output;
  }

  async #privateDatabase() {
    const lines = (await readFile(path.join(this.data, 'data', 'postgres', 'pgdata', 'postmaster.pid'), 'utf8')).split('\n');
    return `host=${lines[4]} user=postgres dbname=postgres`;
  }

  async #until(condition) {
    const child = this.#child;
    await until(async () => child.how ?? (await condition()), 'palimpsest to be ready', 60_000).catch((error) => {
      throw new Error(`${error.message}; it wrote:\n${child.output}`);
    });
    if (child.how) throw new Error(`palimpsest ended (${JSON.stringify(child.how)}); it wrote:\n${child.output}`);
  }
}
