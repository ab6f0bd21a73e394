// A seeded schedule of kills and failures amid concurrent transactions: what a subscriber heard is what Postgres committed, in its order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeed } from './seed.mjs';
import { makeStage } from './stage.mjs';

const SEEDS = 11, MS = 2_000;

for (const shape of ['up', 'connect']) {
  test(`${shape}: ${SEEDS} seeds lose, double and reorder nothing`, async (t) => {
    const stage = await makeStage(t, shape);
    let changes = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = await runSeed(stage, seed, MS);
      changes += run.changes;
      t.diagnostic(`seed ${seed}: ${run.story.join(', ')}; ${run.transactions} transactions, ${run.changes} changes`);
    }
    assert.ok(changes > SEEDS * 20, `${changes} changes are too few to prove anything`);
  });
}
