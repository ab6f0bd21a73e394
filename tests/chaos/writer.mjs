import { spawn } from 'node:child_process';

const ROWS = 12;                        // of a table that writers fight for: many changes are of the same row

/** One transaction: of any size, with savepoints, given up at times. Every row that is written has a value of its own. */
export function transaction(random) {
  const size = random.pick([1, 1, 1, 1, 2, 3, 8, 30, 200]);
  const statements = [];
  for (let i = 0; i < size; i++) {
    const table = random.pick(['a', 'b']);
    const id = size > 100 ? 1_000 + random.below(1_000_000) : random.between(1, ROWS);
    const pad = random.below(20) === 0 ? `repeat(md5(random()::text), ${random.between(1, 300)})` : `'x'`;
    const statement = random.pick([
      `INSERT INTO ${table} VALUES (${id}, nextval('v'), ${pad}) ON CONFLICT (id) DO UPDATE SET v = excluded.v;`,
      `INSERT INTO ${table} VALUES (${id}, nextval('v'), ${pad}) ON CONFLICT (id) DO UPDATE SET v = excluded.v;`,
      `UPDATE ${table} SET v = nextval('v') WHERE id = ${id};`,
      `DELETE FROM ${table} WHERE id = ${id};`,
    ]);
    statements.push(random.below(8) === 0
      ? `SAVEPOINT s; ${statement} ${random.below(2) ? 'ROLLBACK TO' : 'RELEASE'} s;`
      : statement);
  }
  if (size === 1 && random.below(2)) return statements[0].startsWith('SAVEPOINT') ? 'SELECT 1;' : statements[0];
  return `BEGIN;\n${statements.join('\n')}\n${random.below(6) === 0 ? 'ROLLBACK' : 'COMMIT'};`;
}

/** Runs transactions, one after the other, until stop(). A database that goes away is tried again; what it said of a transaction is not asked. */
export function startWriter(url, random) {
  let stopped = false, transactions = 0;
  const session = () => new Promise((resolve) => {
    const psql = spawn('psql', ['-X', '-q', '-A', '-t', '-d', url, '-f', '-'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const more = () => {
      if (stopped) return psql.stdin.end();
      psql.stdin.write(`${transaction(random)}\n\\echo done\n`);
    };
    psql.stdin.on('error', () => {});
    psql.stdout.setEncoding('utf8').on('data', (text) => {
      if (!text.includes('done')) return;
      transactions++;
      more();
    });
    psql.once('close', resolve);
    more();
  });
  const ended = (async () => {
    while (!stopped) {
      await session();
      if (!stopped) await new Promise((resume) => setTimeout(resume, 50));
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await ended;
      return transactions;
    },
  };
}
