import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child, run } from './process.mjs';
import { until } from './until.mjs';

/** A Postgres server that a test starts and stops as it likes; made, but not started. Removed when the test ends. */
export async function makePostgres(t, settings = []) {
  const postgres = new Postgres(await mkdtemp(path.join(tmpdir(), 'palimpsest-pg-')), await programs(), settings);
  t.after(() => postgres.remove());
  await postgres.make();
  return postgres;
}

async function programs() {
  const versions = await readdir('/usr/lib/postgresql');
  return path.join('/usr/lib/postgresql', versions.sort((a, b) => b - a)[0], 'bin');
}

class Postgres {
  #child = null;

  constructor(folder, programs, settings) {
    Object.assign(this, { folder, programs, settings, url: `postgresql://palimpsest@/postgres?host=${folder}` });
  }

  async make() {
    if (process.getuid() === 0) await run('chown', ['nobody', this.folder]);
    await mkdir(path.join(this.folder, 'data'), { mode: 0o700 });
    if (process.getuid() === 0) await run('chown', ['nobody', path.join(this.folder, 'data')]);
    await run(...this.#asUser('initdb', ['-D', path.join(this.folder, 'data'), '-U', 'palimpsest', '-A', 'trust', '--no-sync']));
  }

  /** `where` is said to pg_isready, when it is not the folder. */
  async start(where = [`host=${this.folder}`]) {
    const settings = [`unix_socket_directories=${this.folder}`, 'listen_addresses=', 'wal_level=logical', 'fsync=off', ...this.settings];
    const args = ['-D', path.join(this.folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])];
    this.#child = new Child(...this.#asUser('postgres', args));
    await until(() => run(path.join(this.programs, 'pg_isready'), ['-d', where.join(' ')]), 'Postgres to be ready');
  }

  /** Ends it at once, as a crash would. */
  async crash(signal = 'SIGQUIT') {
    await this.#child.end(signal);
  }

  async remove() {
    if (this.#child && !this.#child.how) await this.#child.end('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Postgres refuses to be root. */
  #asUser(program, args) {
    const command = [path.join(this.programs, program), ...args];
    return process.getuid() === 0
      ? ['setpriv', ['--reuid=nobody', '--regid=nogroup', '--clear-groups', ...command]]
      : [command[0], args];
  }
}
