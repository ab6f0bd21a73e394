import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from './random.mjs';
import { startWriter } from './writer.mjs';

const WRITERS = 3;

/** The ways in which things fail, by what a stage has. Each is over when it resolves, but for who has to find out that it is. */
const faults = {
  up: ['kill', 'kill', 'crash', 'cut', 'stall'],
  connect: ['kill', 'kill', 'crash', 'cut', 'stall', 'endpoint', 'endpoint'],
};
const answers = ['lose', 'lose', 'drop', { status: 500 }, { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }, 'hang', { status: 401 }];

async function fail(stage, how, random) {
  if (how === 'kill') return stage.restartConnector();
  if (how === 'crash') return stage.crashPostgres(random.pick(['SIGQUIT', 'SIGKILL']));
  if (how === 'stall') return stage.link.stall(random.between(50, 600));
  if (how === 'cut') {
    stage.link.cut();
    await pause(random.between(0, 400));
    return stage.link.mend();
  }
  const own = random.fork(), share = random.between(2, 5);
  stage.endpoint.fault = () => (own.below(share) === 0 ? own.pick(answers) : null);
  await pause(random.between(200, 1_000));
  stage.endpoint.fault = () => null;
  return null;
}

/**
 * Writes and fails by the seed for about so long, waits until all is well again, and compares. Throws with what differs, and how to
 * see it again.
 */
export async function runSeed(stage, seed, ms) {
  const random = randomOf(seed);
  const writers = Array.from({ length: WRITERS }, () => startWriter(stage.local, random.fork()));
  const story = [];
  const end = Date.now() + ms;
  const count = random.between(2, 4);
  for (let i = 0; i < count || Date.now() < end; i++) {
    await pause(random.between(0, ms / count));
    const how = random.pick(faults[stage.shape]);
    story.push(how);
    await fail(stage, how, random);
  }
  const transactions = (await Promise.all(writers.map((writer) => writer.stop()))).reduce((sum, each) => sum + each, 0);
  const { committed, heard } = await stage.results();
  const complaints = stage.gaps.splice(0);
  for (const [channel, { wanted, got }] of Object.entries(heard)) {
    const at = wanted.findIndex((line, i) => line !== got[i]);
    if (at < 0 && got.length === wanted.length) continue;
    const from = at < 0 ? wanted.length : at;
    complaints.push(`${channel}: ${wanted.length} changes were committed and ${got.length} heard; they differ from change ${from} on:\n` +
      `  committed ${wanted.slice(from, from + 5).join(', ')}\n  heard     ${got.slice(from, from + 5).join(', ')}`);
  }
  if (complaints.length > 0) {
    throw new Error(`seed ${seed} of ${stage.shape} (${story.join(', ')}), ${committed.length} changes:\n${complaints.join('\n')}\n` +
      `again: tests/chaos/run --shape ${stage.shape} --seed ${seed}\nthe connector wrote:\n${stage.connector.log().slice(-4_000)}`);
  }
  await stage.forget();
  return { story, transactions, changes: committed.length };
}
