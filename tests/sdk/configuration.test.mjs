// What a configuration must not do, whatever it looks like: show a part of a password, or be retried for ever when it cannot work.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { program } from '../support/connect.mjs';
import { startPalimpsest } from '../support/palimpsest.mjs';
import { makePostgres } from '../support/postgres.mjs';
import { Child, freePort } from '../support/process.mjs';
import { until } from '../support/until.mjs';

async function folder(t) {
  const made = await mkdtemp(path.join(tmpdir(), 'palimpsest-configuration-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** What a program that must end by itself writes. */
async function ends(t, args, { cwd, env = {} }) {
  const child = new Child(program, args, { cwd, env: { PATH: process.env.PATH, ...env } });
  t.after(() => child.how ?? child.end('SIGKILL'));
  await until(() => child.how && child.output, `${args[0]} to end`, 20_000);
  assert.notEqual(child.how.code, 0, child.output);
  return child.output;
}

test('no part of a password is said, wherever a malformed URL puts it', async (t) => {
  const cwd = await folder(t);
  const listen = `127.0.0.1:${await freePort()}`;
  for (const between of ['@', '/', '#/', '%', '%zz', ' @']) {
    const url = `postgres://chat:Hunter${between}sEcond@127.0.0.1:1/chat?sslmode=disable`;
    const commands = { up: ['--listen', listen], connect: ['--key', 'a.b:c'], doctor: [], serve: ['--listen', listen] };
    await Promise.all(Object.entries(commands).map(async ([command, args]) => {
      const data = command === 'up' || command === 'serve' ? ['--data', path.join(cwd, command)] : [];
      const output = await ends(t, [command, ...data, ...args], { cwd, env: { DATABASE_URL: url } });
      assert.match(output, /malformed/, `${command} ${between}`);
      assert.doesNotMatch(output, /Hunter|sEcond/, `${command} ${between}`);
    }));
  }
  // What a shell has cut off is no less secret.
  const output = await ends(t, ['connect', '--database-url', 'postgres://chat:Hunter', 'sEcond@127.0.0.1/chat'], { cwd });
  assert.doesNotMatch(output, /Hunter|sEcond/);
});

test('parameters of other tools are ignored with a warning, and what cannot work ends the program', async (t) => {
  const postgres = await makePostgres(t);
  await postgres.start();
  const server = await startPalimpsest(t, {
    databaseUrl: `${postgres.url}&schema=public&pgbouncer=true&connection_limit=5&ssl=false&uselibpqcompat=true`,
  });
  for (const name of ['schema', 'pgbouncer', 'connection_limit', 'uselibpqcompat']) {
    assert.match(server.log(), new RegExp(`at=database_url_parameter_ignored parameter="?${name}`));
  }
  const cwd = await folder(t);
  for (const [parameter, complaint] of [['sslmode=on', /sslmode is one of/], ['sOmething=1', /parameter 2 has a name/], ['connect_timeout=5s', /connect_timeout is a whole number/]]) {
    assert.match(await ends(t, ['connect', '--key', 'a.b:c'], { cwd, env: { DATABASE_URL: `${postgres.url}&${parameter}` } }), complaint);
  }
});

test('a database that a newer palimpsest has migrated is refused, and so is a data folder that another process uses', async (t) => {
  const postgres = await makePostgres(t);
  await postgres.start();
  const server = await startPalimpsest(t, { databaseUrl: postgres.url });
  const cwd = await folder(t);
  const data = path.join(server.data, 'data');
  for (const command of ['up', 'serve']) {
    const output = await ends(t, [command, '--data', data, '--listen', `127.0.0.1:${await freePort()}`], { cwd, env: { DATABASE_URL: postgres.url } });
    assert.match(output, /is in use by another palimpsest/, command);
  }
  await server.psql("INSERT INTO palimpsest.schema_version (version, title) VALUES (999, 'of-tomorrow')");
  for (const [command, ...args] of [['up', '--data', path.join(cwd, 'up'), '--listen', `127.0.0.1:${await freePort()}`], ['connect', '--key', 'a.b:c']]) {
    assert.match(await ends(t, [command, ...args], { cwd, env: { DATABASE_URL: postgres.url } }), /schema is newer than this program.*999/, command);
  }
});

test('secrets that others may read, or that can be guessed, are refused with the command that helps', async (t) => {
  const cwd = await folder(t);
  const server = await startPalimpsest(t, { command: 'serve' });
  await server.stop();
  const data = path.join(server.data, 'data');
  const run = async () => ends(t, ['serve', '--data', data, '--listen', `127.0.0.1:${await freePort()}`], { cwd });
  for (const name of ['api-key', 'cookie-secret', 'connection-secret']) {
    const file = path.join(data, name);
    const text = await readFile(file, 'utf8');
    await chmod(file, 0o644);
    assert.ok((await run()).includes(`Run: chmod 600 ${file}`));
    await chmod(file, 0o600);
    await writeFile(file, name === 'api-key' ? 'chat.key:short\n' : 'short\n');
    assert.ok((await run()).includes(`rm ${file}`));
    await writeFile(file, text);
  }
});

test('the private cluster serves a role that is no superuser', async (t) => {
  const server = await startPalimpsest(t);
  const users = await server.psql("SELECT DISTINCT u.usename || ' ' || u.usesuper FROM pg_stat_activity a JOIN pg_user u USING (usesysid) WHERE a.application_name = 'palimpsest'");
  assert.deepEqual(users, ['palimpsest_server false']);
});
