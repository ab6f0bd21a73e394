import { parseArgs } from 'node:util';
import { makeScope } from '../support/scope.mjs';
import { runSeed } from './seed.mjs';
import { makeStage } from './stage.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, shape: { type: 'string' }, seed: { type: 'string' } } });
const end = Date.now() + Number(values.seconds) * 1_000;
const shapes = values.shape ? [values.shape] : ['up', 'connect'];
const SEEDS_PER_STAGE = 50;

let scope = null;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => scope?.end().finally(() => process.exit(1)));

let failed = false;
for (let seed = Number(values.seed ?? 1), first = true; !failed && (first || (!values.seed && Date.now() < end)); first = false) {
  const until = seed + (values.seed ? 1 : SEEDS_PER_STAGE);
  for (const shape of shapes) {
    scope = makeScope();
    try {
      const stage = await makeStage(scope, shape);
      for (let each = seed; each < until && (each === seed || Date.now() < end); each++) {
        const { story, transactions, changes } = await runSeed(stage, each, 3_000);
        console.log(`${shape} seed ${each}: ${story.join(', ')}; ${transactions} transactions, ${changes} changes, all heard once and in order`);
      }
    } catch (error) {
      console.error(error.message);
      failed = true;
    } finally {
      await scope.end();
    }
    if (failed) break;
  }
  seed = until;
}
process.exit(failed ? 1 : 0);
