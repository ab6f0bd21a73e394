// `palimpsest doctor` against a Postgres with everything wrong, which its own SQL mends, and against one that is well.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { originalJson, program, psql, startConnect } from '../support/connect.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';

/** {code, text, stdout} of a run: all that it said, and what it said on standard output alone. */
const doctor = (args) => new Promise((resolve) => {
  execFile(program, ['doctor', ...args], { env: { PATH: process.env.PATH } }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, text: stdout + stderr, stdout }));
});
const diagnose = async (args) => {
  const { code, stdout } = await doctor([...args, '--json']);
  const { ok, findings } = JSON.parse(stdout);
  assert.equal(code, ok ? 0 : 1);
  return { ok, bad: (about) => findings.filter((each) => each.about === about && each.level !== 'good') };
};

/** What the original connector leaves in a database. */
const leftovers = `
  CREATE FUNCTION ably_notify() RETURNS trigger AS $$ BEGIN PERFORM pg_notify('table_update', TG_OP); RETURN NEW; END $$ LANGUAGE plpgsql;
  CREATE TABLE ablycontroltable (tablename varchar(100), ablychannelname varchar(100), operation varchar(50));
  CREATE TRIGGER users_notify_insert AFTER INSERT ON users FOR EACH ROW EXECUTE PROCEDURE ably_notify();
  CREATE TRIGGER users_notify_delete AFTER DELETE ON users FOR EACH ROW EXECUTE PROCEDURE ably_notify();`;

test('it finds what is wrong, and its own SQL mends it', async (t) => {
  const postgres = await makePostgres(t, ['synchronous_commit=off']);
  await postgres.start();
  const server = await startPalimpsest(t, { command: 'serve' });
  const sql = (text) => psql(postgres.url, text);
  await sql(`CREATE TABLE users (id int, name text); CREATE ROLE guest LOGIN; CREATE DATABASE other; ${leftovers}`);
  const database = `host=${postgres.folder} user=guest dbname=postgres`;
  const config = `${postgres.folder}/c.json`;
  const { writeFile } = await import('node:fs/promises');
  await writeFile(config, originalJson(postgres, 'wrong.key:hush-hush', [['users', 'users', 'INSERT'], ['users', 'users', 'DELETE'], ['nowhere', 'x', 'INSERT']]));
  const args = ['--config', config, '--database-url', database, '--endpoint', '127.0.0.1', '--port', `${server.port}`, '--no-tls'];

  const first = await diagnose(args);
  assert.equal(first.ok, false);
  assert.deepEqual(first.bad('role').map(({ mend }) => mend), [
    'ALTER ROLE "guest" REPLICATION;\n-- on RDS: GRANT rds_replication TO "guest";', 'GRANT CREATE ON DATABASE "postgres" TO "guest";']);
  assert.match(first.bad('table users')[0].says, /no primary key: once it is published, every UPDATE and DELETE of it fails/);
  assert.match(first.bad('table nowhere')[0].says, /there is no table "public"."nowhere"/);
  assert.match(first.bad('commits')[0].says, /synchronous_commit is off/);
  assert.match(first.bad('retention')[0].mend, /ALTER SYSTEM SET max_slot_wal_keep_size/);
  assert.match(first.bad('key')[0].says, /^refused: /);
  assert.match(first.bad('original')[0].says, /2 triggers/);
  const { code, text, stdout } = await doctor(args);
  assert.equal(code, 1);
  assert.match(text, /✗ table nowhere/);
  assert.match(stdout, /to mend, \d+ to think about\.\n\n$/);
  assert.ok(!text.includes('hush-hush'), text);

  await sql(first.bad('original')[0].mend);
  for (const { mend } of first.bad('role')) await sql(mend);
  await sql('ALTER TABLE users ADD PRIMARY KEY (id)');
  const second = await diagnose(args);
  assert.deepEqual([second.bad('role'), second.bad('original')], [[], []]);
  assert.match(second.bad('table users')[0].mend, /ALTER TABLE "public"."users" OWNER TO "guest"/);
  await sql(second.bad('table users')[0].mend);
  assert.match((await diagnose(args)).bad('table users')[0].says, /a DELETE of "public"."users" tells its key only \(id\)/);
});

test('it knows a slot that is read from one that is not, is lost, or was dropped', async (t) => {
  const postgres = await makePostgres(t, ['max_slot_wal_keep_size=1GB']);
  await postgres.start();
  const server = await startPalimpsest(t, { command: 'serve' });
  const sql = (text) => psql(postgres.url, text);
  await sql('CREATE TABLE users (id int PRIMARY KEY, name text); ALTER TABLE users REPLICA IDENTITY FULL');
  const file = ['c.json', originalJson(postgres, server.key, [['users', 'users', 'INSERT']])];
  const connector = await startConnect(t, { port: server.port, file });
  const args = ['--config', `${connector.folder}/c.json`, '--endpoint', '127.0.0.1', '--port', `${server.port}`, '--no-tls'];
  const { text } = await doctor(args);
  assert.match(text, /✓ slot +palimpsest is being read/);
  assert.match(text, /✓ key +accepted/);
  assert.match(text, /✓ publication +"palimpsest" has every table/);
  await connector.stop();
  assert.match((await diagnose(args)).bad('slot')[0].says, /is not being read/);
  await sql(`SELECT pg_drop_replication_slot('palimpsest')`);
  const dropped = await diagnose(args);
  assert.equal(dropped.ok, false);
  await sql(dropped.bad('slot')[0].mend);
  assert.deepEqual((await diagnose(args)).bad('slot'), []);
});

test('a database and an endpoint that are not there are said to be so', async (t) => {
  const postgres = await makePostgres(t);
  const { code, text } = await doctor(['--database-url', postgres.url, '--key', 'a.b:c', '--endpoint', '127.0.0.1', '--port', '1', '--no-tls']);
  assert.equal(code, 1);
  assert.match(text, /✗ database +/);
  assert.match(text, /✗ endpoint +http:\/\/127\.0\.0\.1:1 does not answer/);
});

test('it finds every relation whose writes a feed would break, and its SQL for each mends them', async (t) => {
  const postgres = await makePostgres(t);
  await postgres.start();
  const sql = (text) => psql(postgres.url, text);
  await sql(`
    CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE, n text);
    CREATE TABLE parted (id int, room text) PARTITION BY LIST (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
    ALTER TABLE parted REPLICA IDENTITY FULL;
    CREATE TYPE mood AS ENUM ('sad');
    CREATE TABLE moody (id int PRIMARY KEY, mood mood);
    ALTER TABLE moody REPLICA IDENTITY FULL;
    CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child () INHERITS (parent);
    CREATE PUBLICATION palimpsest FOR TABLE parent WITH (publish_via_partition_root);`);
  const { writeFile } = await import('node:fs/promises');
  const config = `${postgres.folder}/c.toml`;
  const tables = ['deferred', 'parted', 'unlogged', 'parent'].map((table) => `[[connector.tables]]\ntable = "${table}"\nchannel = "x"\n`);
  await writeFile(config, `${tables.join('')}[[connector.tables]]\ntable = "moody"\nchannel = "x"\nwhere = "mood = 'sad'"\n`);
  const args = ['--config', config, '--database-url', postgres.url];
  const fails = (about) => first.bad(about).map(({ mend }) => mend);
  const first = await diagnose(args);
  assert.equal(first.ok, false);
  assert.match(first.bad('table deferred')[0].says, /deferrable/);
  assert.deepEqual(fails('table deferred'), ['ALTER TABLE "public"."deferred" REPLICA IDENTITY FULL;']);
  assert.deepEqual(fails('table parted'), [1, 2].map((n) => `ALTER TABLE "public"."parted_${n}" REPLICA IDENTITY FULL;`));
  assert.deepEqual(fails('table unlogged'), ['ALTER TABLE "public"."unlogged" SET LOGGED;']);
  assert.match(first.bad('table parent')[0].says, /rows of public.child, which inherit/);
  assert.deepEqual(fails('publication'), ['ALTER PUBLICATION "palimpsest" DROP TABLE ONLY "public"."child";']);
  assert.match(first.bad('table moody')[0].says, /User-defined types are not allowed/);
  for (const about of ['table deferred', 'table parted', 'table unlogged', 'publication']) {
    for (const mend of fails(about)) await sql(mend);
  }
  const second = await diagnose(args);
  for (const about of ['table parted', 'publication']) assert.deepEqual(second.bad(about), []);
  await sql('UPDATE child SET id = 2; DELETE FROM child');
  assert.equal(second.ok, false, 'the filter is left');
});
