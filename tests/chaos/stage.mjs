import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { connect, listen } from '../support/clients.mjs';
import { psql, startConnect } from '../support/connect.mjs';
import { faultyEndpoint } from '../support/faulty_endpoint.mjs';
import { makeLink } from '../support/link.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { freePort } from '../support/process.mjs';
import { until } from '../support/until.mjs';

/** What is fed where: channels by what of which table they hear. */
const FEEDS = { a: { a: ['INSERT', 'UPDATE', 'DELETE'] }, b: { b: ['INSERT', 'UPDATE', 'DELETE'] }, mixed: { a: ['INSERT'], b: ['UPDATE', 'DELETE'] } };
const SETTINGS = Object.entries(FEEDS).flatMap(([channel, tables]) => Object.entries(tables).map(([table, operations]) =>
  `[[connector.tables]]\ntable = "${table}"\nchannel = "${channel}"\noperations = ${JSON.stringify(operations.map((each) => each.toLowerCase()))}\n`)).join('\n');

/** Does the channel hear of "TYPE table …"? */
const hears = (channel, line) => {
  const [type, table] = line.split(' ');
  return FEEDS[channel][table]?.includes(type) ?? false;
};

/**
 * A Postgres behind a link that can be cut; a connector, within `up` or on its own between that and a `serve`; a subscriber of
 * every channel; and a witness: a slot of the test's own, which nobody but Postgres feeds.
 */
export async function makeStage(t, shape) {
  const port = await freePort();
  const postgres = await makePostgres(t, ['listen_addresses=127.0.0.1', `port=${port}`, 'max_wal_size=256MB']);
  const stage = new Stage(shape, postgres, port);
  await stage.startPostgres();
  await stage.sql(`CREATE TABLE a (id int PRIMARY KEY, v bigint, pad text); CREATE TABLE b (LIKE a INCLUDING ALL); CREATE SEQUENCE v;
    ALTER TABLE a REPLICA IDENTITY FULL; ALTER TABLE b REPLICA IDENTITY FULL; SELECT pg_create_logical_replication_slot('witness', 'test_decoding')`);
  stage.link = await makeLink(t, port);
  const databaseUrl = `host=127.0.0.1 port=${stage.link.port} user=palimpsest dbname=postgres`;
  if (shape === 'up') {
    stage.server = await startPalimpsest(t, { databaseUrl, settings: SETTINGS });
    stage.connector = stage.server;
  } else {
    stage.server = await startPalimpsest(t, { command: 'serve' });
    stage.endpoint = await faultyEndpoint(t, stage.server.port);
    stage.connector = await startConnect(t, {
      port: stage.endpoint.port, file: ['palimpsest.toml', SETTINGS], env: { DATABASE_URL: databaseUrl, ABLY_API_KEY: stage.server.key },
    });
  }
  const client = await connect(t, stage.server);
  for (const channel of Object.keys(FEEDS)) {
    stage.heard[channel] = await listen(client.channels.get(channel));
    client.channels.get(channel).on(['attached', 'update'], ({ resumed, reason }) => resumed || stage.gaps.push(`${channel}: ${reason ?? 'not resumed'}`));
  }
  return stage;
}

class Stage {
  heard = {};
  gaps = [];
  #mark = null;                         // the sentinel of the seed before

  constructor(shape, postgres, port) {
    Object.assign(this, { shape, postgres, port, local: `host=${postgres.folder} port=${port} user=palimpsest dbname=postgres` });
  }

  sql(text) {
    return psql(this.local, text);
  }

  startPostgres() {
    return this.postgres.start([`host=${this.postgres.folder}`, `port=${this.port}`]);
  }

  /** Ends Postgres at once and starts it again. */
  async crashPostgres(signal) {
    await this.postgres.crash(signal);
    const data = path.join(this.postgres.folder, 'data');
    await until(async () => !(await runsIn(data)), 'the last of Postgres to be gone');
    await this.startPostgres();
  }

  async restartConnector() {
    await this.connector.kill9();
    await this.connector.start({ awaitReady: false });
  }

  /** Everything committed since the seed before, in commit order, as "TYPE table id value"; and what each channel heard of it. */
  async results() {
    const [v] = await until(() => this.sql(`INSERT INTO a VALUES (0, nextval('v'), '') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
      DELETE FROM a WHERE id = 0; INSERT INTO b VALUES (0, nextval('v'), '') ON CONFLICT (id) DO UPDATE SET v = excluded.v; DELETE FROM b WHERE id = 0; SELECT last_value FROM v`), 'the sentinels', 30_000);
    const lines = (await this.sql(`SELECT data FROM pg_logical_slot_peek_changes('witness', NULL, NULL)`)).map(parseWitness).filter(Boolean);
    const last = lines.lastIndexOf(`DELETE b 0 ${v}`);
    if (last < 0) throw new Error('the witness has not seen the sentinels');
    const committed = lines.slice(this.#mark ? lines.lastIndexOf(this.#mark) + 1 : 0, last + 1);
    this.#mark = lines[last];
    const heard = {};
    for (const [channel, messages] of Object.entries(this.heard)) {
      const wanted = committed.filter((line) => hears(channel, line));
      await until(() => messages.length >= wanted.length && parseMessage(messages.at(-1)) === wanted.at(-1),
        `${channel}: ${wanted.length} changes`, 60_000).catch((error) => (this.complaint = `${error.message}, after ${messages.length}`));
      heard[channel] = { wanted, got: messages.splice(0).map(parseMessage) };
    }
    return { committed, heard };
  }

  /** Lets the witness forget what was compared. */
  async forget() {
    await this.sql(`SELECT count(*) FROM pg_logical_slot_get_changes('witness', NULL, NULL)`);
  }
}

async function runsIn(folder) {
  for (const pid of await readdir('/proc')) {
    if (/^\d+$/.test(pid) && (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === folder) return true;
  }
  return false;
}

function parseWitness(line) {
  const [, table, type] = /^table public\.(\w+): (INSERT|UPDATE|DELETE): /.exec(line) ?? [];
  if (!FEEDS[table]) return null;
  const last = (pattern) => [...line.matchAll(pattern)].at(-1)[1];
  return `${type} ${table} ${last(/ id\[integer\]:(\d+)/g)} ${last(/ v\[bigint\]:(\d+)/g)}`;
}

function parseMessage({ data }) {
  const { type, table, row } = JSON.parse(data);
  return `${type} ${table} ${row.id} ${row.v}`;
}
