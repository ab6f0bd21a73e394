// `palimpsest connect`: the connector alone, between a Postgres and an Ably-compatible service, in the original connector's place.
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { change, connect, listen } from '../support/clients.mjs';
import { originalJson, program, psql, startConnect } from '../support/connect.mjs';
import { faultyEndpoint } from '../support/faulty_endpoint.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { freePort, run } from '../support/process.mjs';
import { until } from '../support/until.mjs';

const all = ['INSERT', 'UPDATE', 'DELETE'];
const everything = (table, channel = table) => all.map((operation) => [table, channel, operation]);
const rows = (heard) => heard.map(({ data }) => JSON.parse(data)).map(({ type, row }) => `${type} ${row.id} ${row.name}`);

/** A Postgres with a table, a `palimpsest serve`, and a subscriber of the channel `users`. */
async function stage(t, settings = []) {
  const [postgres, server] = await Promise.all([makePostgres(t, settings), startPalimpsest(t, { command: 'serve' })]);
  await postgres.start();
  const sql = (text) => psql(postgres.url, text);
  await sql('CREATE TABLE users (id int PRIMARY KEY, name text); ALTER TABLE users REPLICA IDENTITY FULL');
  const client = await connect(t, server);
  const heard = await listen(client.channels.get('users'));
  return { postgres, server, sql, client, heard };
}

const jsonFile = (postgres, server, feeds = everything('users')) => ['c.json', originalJson(postgres, server.key, feeds)];

test('with the original connector\'s file, subscribers get what the original gave them', async (t) => {
  const { postgres, server, sql, client, heard } = await stage(t);
  const gone = await listen(client.channels.get('gone'));
  const feeds = [['users', 'users', 'INSERT'], ['users', 'users', 'UPDATE'], ['users', 'gone', 'DELETE']];
  const connector = await startConnect(t, { port: server.port, file: jsonFile(postgres, server, feeds) });
  await sql(`INSERT INTO users VALUES (1, 'ann'); UPDATE users SET name = 'Ann'; DELETE FROM users`);
  await until(() => heard.length === 2 && gone.length === 1, 'three messages');
  assert.deepEqual(heard.map(({ name }) => name), [change, change]);
  assert.equal(typeof heard[0].data, 'string');
  assert.deepEqual(JSON.parse(heard[0].data), { table: 'users', type: 'INSERT', row: { id: 1, name: 'ann' } });
  assert.deepEqual(JSON.parse(heard[1].data), { table: 'users', type: 'UPDATE', row: { id: 1, name: 'Ann' } });
  assert.deepEqual(JSON.parse(gone[0].data), { table: 'users', type: 'DELETE', row: { id: 1, name: 'Ann' } });
  assert.match(heard[0].id, /^[0-9a-f]{16}-[0-9a-f]{8}$/);
  // A stranger's database is left without what is the chat's or the archive's.
  assert.deepEqual(await sql(`SELECT to_regclass('chat_data'), to_regclass('palimpsest.message'), to_regclass('palimpsest.channel_tail') IS NOT NULL`), ['||t']);
  assert.equal(await connector.metric('palimpsest_connector_published_total'), 3);
  assert.equal(await connector.metric('palimpsest_connector_commit_to_publish_seconds_count'), 3);
  await until(async () => (await connector.metric('palimpsest_connector_lag_bytes')) === 0, 'no lag');
  assert.equal(await connector.metric('palimpsest_connector_lag_seconds'), 0);
  assert.deepEqual(await connector.stop(), { code: 0, signal: null });
});

test('with its environment, from a .env file and from the process, the process first', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  const tables = JSON.stringify([{ tablename: 'users', ablychannelname: 'users', operation: 'INSERT' }]);
  const file = ['connector.env', `# as it was\nDB_HOST=${postgres.folder}\nDB_USER=nobody-knows-me\nDB_NAME="postgres"\nABLY_CONNECTOR=${tables}\nABLY_API_KEY=x.y:z\n`];
  await startConnect(t, { port: server.port, file, env: { DB_USER: 'palimpsest', ABLY_API_KEY: server.key } });
  await sql(`INSERT INTO users VALUES (1, 'ann'); DELETE FROM users`);
  await until(() => heard.length === 1, 'the message');
  assert.deepEqual(rows(heard), ['INSERT 1 ann']);
});

test('what is wrong with a configuration is said with its place', async (t) => {
  const postgres = await makePostgres(t);
  const complaint = async (name, text, args = []) => {
    const file = path.join(postgres.folder, name);
    await writeFile(file, text);
    await chmod(file, 0o644);
    return run(program, ['connect', '--config', file, ...args]).then(() => 'nothing', ({ message }) => message.replaceAll(file, name));
  };
  assert.match(await complaint('a.json', '{"dbConfig":\n{"host" 1}}'), /cannot start: a\.json, line 2: not JSON/);
  assert.match(await complaint('b.json', '{"dbConfig":{"host":"h"},"connector":[{"tablename":"t","ablychannelname":"c","operation":"DROP"}],"ably":{"apiKey":"k"}}'),
    /b\.json: connector\[0\]\.operation is INSERT, UPDATE or DELETE/);
  assert.match(await complaint('c.env', 'DB_HOST\n'), /c\.env, line 1: not NAME=value/);
  assert.match(await complaint('d.env', 'DB_HOST=h\nABLY_CONNECTOR=[{]\nABLY_API_KEY=a.b:c\n'), /ABLY_CONNECTOR, line 1: not JSON/);
  assert.match(await complaint('e.toml', '[endpoint]\nhots = "x"\n'), /line 2: unknown setting endpoint\.hots/);
  assert.match(await complaint('f.toml', '[database]\nurl = "host=h"\n'), /no API key/);
  assert.match(await complaint('g.toml', '[database]\nurl = "host=h"\n[endpoint]\nkey = "nonsense"\n'), /the API key is not appId\.keyId:secret/);
});

test('its own configuration, with secrets in files: neither the log nor ps shows one', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  await writeFile(path.join(postgres.folder, 'key'), `${server.key}\n`, { mode: 0o600 });
  const settings = `[database]\nurl = "${postgres.url}&password=hunter2"\n[endpoint]\nkey_file = "${postgres.folder}/key"\n[[connector.tables]]\ntable = "users"\nchannel = "users"\n`;
  const connector = await startConnect(t, { port: server.port, file: ['palimpsest.toml', settings], args: ['--log-level', 'debug'] });
  await sql(`INSERT INTO users VALUES (1, 'ann')`);
  await until(() => heard.length === 1, 'the message');
  await postgres.crash();
  await until(async () => (await connector.get('/readyz')).status === 503, 'unreadiness');
  const secret = server.key.split(':')[1];
  const commandLine = await readFile(`/proc/${connector.pid}/cmdline`, 'utf8');
  for (const text of [connector.log(), commandLine, (await connector.get('/readyz')).text, (await connector.get('/metrics')).text]) {
    assert.ok(!text.includes(secret) && !text.includes('hunter2'), text);
  }
});

test('an endpoint that fails in every way loses, doubles and reorders nothing', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  const endpoint = await faultyEndpoint(t, server.port);
  const faults = ['lose', { status: 500 }, 'drop', { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }, 'lose', 'lose', { status: 401, code: 40101 }];
  let told = 0;
  endpoint.fault = (number) => (number % 2 === 0 && told < faults.length ? faults[told++] : null);
  const connector = await startConnect(t, { port: endpoint.port, file: jsonFile(postgres, server) });
  const wanted = [];
  for (let i = 0; wanted.length < 150 || told < faults.length; i++) {
    await sql(`INSERT INTO users SELECT n, 'row ' || n FROM generate_series(${3 * i + 1}, ${3 * i + 3}) n`);
    for (let n = 3 * i + 1; n <= 3 * i + 3; n++) wanted.push(`INSERT ${n} row ${n}`);
  }
  await until(() => heard.length >= wanted.length, `${wanted.length} messages, after ${heard.length}`, 60_000);
  assert.deepEqual(rows(heard), wanted);
  // A kept connection that is cut before any answer is none: libcurl makes that request again on a new one.
  assert.ok(await connector.metric('palimpsest_publish_failures_total') >= faults.filter((fault) => fault !== 'drop').length);
  assert.equal(await connector.metric('palimpsest_connector_refused_total'), 0);
});

test('a key that is refused loses nothing: it is said, and tried again', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  const endpoint = await faultyEndpoint(t, server.port);
  endpoint.fault = () => ({ status: 401, code: 40160 });
  const connector = await startConnect(t, { port: endpoint.port, file: jsonFile(postgres, server) });
  await sql(`INSERT INTO users VALUES (1, 'ann')`);
  await until(async () => (await connector.get('/readyz')).status === 503, 'unreadiness');
  assert.match((await connector.get('/readyz')).text, /the endpoint does not take what is published: as the test wants it/);
  assert.equal(await connector.metric('palimpsest_connector_publishing'), 0);
  assert.match(connector.log(), /at=publish_failed endpoint=127\.0\.0\.1 status=401 code=40160/);
  endpoint.fault = () => null;
  await until(() => heard.length === 1, 'the message');
  await until(async () => (await connector.get('/readyz')).status === 200, 'readiness');
});

test('a row that is too large is counted and passed by', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  const connector = await startConnect(t, { port: server.port, file: jsonFile(postgres, server) });
  await sql(`INSERT INTO users VALUES (1, 'ann'), (2, repeat('x', 100000)), (3, 'bob')`);
  await until(() => heard.length >= 2, 'two messages');
  assert.deepEqual(rows(heard), ['INSERT 1 ann', 'INSERT 3 bob']);
  assert.equal(await connector.metric('palimpsest_connector_refused_total'), 1);
  assert.match(connector.log(), /at=change_refused .*code=40009/);
});

test('a table is added while it runs: SIGHUP, and nothing is missed on either', async (t) => {
  const { postgres, server, sql, client, heard } = await stage(t);
  const orders = await listen(client.channels.get('orders'));
  const connector = await startConnect(t, { port: server.port, file: jsonFile(postgres, server) });
  await sql(`CREATE TABLE public.orders (id int PRIMARY KEY, name text)`);
  const writing = (async () => {
    for (let n = 1; n <= 60; n++) await sql(`INSERT INTO users VALUES (${n}, 'u')`);
  })();
  await until(() => heard.length > 5, 'some messages', 60_000);
  await connector.configure('{');
  connector.reload();
  await until(() => /at=reload_failed/.test(connector.log()), 'a complaint');
  await connector.configure(originalJson(postgres, server.key, [...everything('users'), ...everything('orders')]));
  connector.reload();
  await until(() => /at=publication_set .*orders/.test(connector.log()), 'the new table', 60_000);
  await sql(`INSERT INTO public.orders VALUES (1, 'first')`);
  await writing;
  await until(() => heard.length === 60 && orders.length === 1, '61 messages', 60_000);
  assert.deepEqual(rows(heard), Array.from({ length: 60 }, (_, i) => `INSERT ${i + 1} u`));
  assert.deepEqual(rows(orders), ['INSERT 1 first']);
});

test('kill -9, again and again, amid transactions of all sizes', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  const connector = await startConnect(t, { port: server.port, file: jsonFile(postgres, server) });
  const wanted = [];
  for (let round = 0; round < 5; round++) {
    const sizes = [1, 1, 1, 250, 1, 7, 1200, 1];
    const writing = sizes.reduce((before, size) => before.then(async () => {
      const first = wanted.length + 1;
      for (let n = first; n < first + size; n++) wanted.push(`INSERT ${n} n`);
      await sql(`INSERT INTO users SELECT n, 'n' FROM generate_series(${first}, ${first + size - 1}) n`);
    }), Promise.resolve());
    const before = heard.length;
    await until(() => heard.length > before + round * 60, 'some more messages', 60_000);
    await connector.kill9();
    await connector.start({ awaitReady: false });
    await writing;
  }
  await until(() => heard.length >= wanted.length, `${wanted.length} messages, after ${heard.length}`, 60_000);
  assert.deepEqual(rows(heard), wanted);
});

test('rows that were there come once, though the connector is killed among them and they change before it is back', async (t) => {
  const { postgres, server, sql, heard } = await stage(t);
  await sql(`INSERT INTO users SELECT i, 'x' FROM generate_series(1, 3000) i`);
  const endpoint = await faultyEndpoint(t, server.port);
  endpoint.fault = (number) => (number > 4 ? 'lose' : null);
  const settings = '[connector]\nsnapshot = "initial"\n[[connector.tables]]\ntable = "users"\nchannel = "users"\n';
  const env = { DATABASE_URL: postgres.url, ABLY_API_KEY: server.key };
  const connector = await startConnect(t, { port: endpoint.port, file: ['palimpsest.toml', settings], env, awaitReady: false });
  await until(() => endpoint.requests > 6, 'a chunk that is published and not acknowledged');
  await connector.kill9();
  await sql(`DELETE FROM users WHERE id % 7 = 0; UPDATE users SET name = 'y' WHERE id % 3 = 0; INSERT INTO users VALUES (0, 'new')`);
  endpoint.fault = () => null;
  await connector.start();
  await sql(`INSERT INTO users VALUES (9999, 'last')`);
  await until(() => heard.length > 0 && rows([heard.at(-1)])[0] === 'INSERT 9999 last', 'the last row', 30_000);
  const mirror = new Map();
  for (const { type, row } of heard.map(({ data }) => JSON.parse(data))) {
    assert.equal(mirror.has(row.id), type !== 'INSERT', `${type} of ${row.id}`);
    if (type === 'DELETE') mirror.delete(row.id);
    else mirror.set(row.id, row.name);
  }
  assert.deepEqual([...mirror].map(([id, name]) => `${id}|${name}`).sort(), (await sql('SELECT id, name FROM users')).sort());
});

test('to a database that asks for a password over TLS: sslmode=verify-full and a .pgpass', async (t) => {
  const port = await freePort();
  const postgres = await makePostgres(t, [`listen_addresses=127.0.0.1`, `port=${port}`, 'ssl=on']);
  const at = (name) => path.join(postgres.folder, name);
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
    '-keyout', at('data/server.key'), '-out', at('data/server.crt')]);
  await writeFile(at('data/pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n');
  if (process.getuid() === 0) await run('chown', ['nobody', at('data/server.key'), at('data/server.crt')]);
  const server = await startPalimpsest(t, { command: 'serve' });
  await postgres.start([`host=${postgres.folder}`, `port=${port}`]);
  const local = `host=${postgres.folder} port=${port} user=palimpsest dbname=postgres`;
  await psql(local, `ALTER ROLE palimpsest PASSWORD 'hunter2'; CREATE TABLE users (id int PRIMARY KEY, name text)`);
  await writeFile(at('pgpass'), `localhost:${port}:postgres:palimpsest:hunter2\n`, { mode: 0o600 });
  const heard = await listen((await connect(t, server)).channels.get('users'));
  const url = `host=localhost port=${port} user=palimpsest dbname=postgres sslmode=verify-full sslrootcert=${at('data/server.crt')}`;
  const settings = '[[connector.tables]]\ntable = "users"\nchannel = "users"\n';
  const connector = await startConnect(t, {
    port: server.port, file: ['palimpsest.toml', settings], env: { DATABASE_URL: url, PGPASSFILE: at('pgpass'), ABLY_API_KEY: server.key },
  });
  await psql(local, `INSERT INTO users VALUES (1, 'ann')`);
  await until(() => heard.length === 1, 'the message');
  assert.deepEqual(await psql(local, `SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'palimpsest' AND client_addr IS NOT NULL`), ['t']);
  assert.ok(!connector.log().includes('hunter2'));
  const wrongHost = await startConnect(t, {
    port: server.port, file: ['palimpsest.toml', settings], awaitReady: false,
    env: { DATABASE_URL: url.replace('host=localhost', 'host=127.0.0.1'), PGPASSWORD: 'hunter2', ABLY_API_KEY: server.key },
  });
  await until(() => /at=migrate_failed .*certificate/.test(wrongHost.log()), 'a word about the certificate');
});
