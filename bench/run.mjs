// Measures scenarios: node bench/run.mjs SCENARIO…|all [--runs 5] [--servers a,b] [--dialects ably-json] [--json FILE] [--realtime]
//
// Servers take turns (A B C, A B C, …), each run with a fresh server on core 0 and the generator on core 1, so that what the machine
// does meanwhile befalls them alike: compare within one file. Prints medians with their spread, and ratios to the floor.
// --realtime lets both go before everything else on a busy machine (root only).
// Needs the release build: cmake --build --preset release --target palimpsest floor
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { tables } from './report.mjs';
import { scenarios } from './scenarios.mjs';
import { generatorCores, palimpsest, pinned, setRealtime, start } from './servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, servers: { type: 'string' }, dialects: { type: 'string' }, json: { type: 'string' }, realtime: { type: 'boolean' } },
});
setRealtime(values.realtime);
const chosen = positionals.includes('all') ? Object.keys(scenarios) : positionals;
const unknown = chosen.filter((name) => !(name in scenarios));
if (chosen.length === 0 || unknown.length > 0) {
  console.error(`usage: node bench/run.mjs SCENARIO…|all; scenarios: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
const only = (list, wanted) => (wanted ? list.filter((each) => wanted.split(',').includes(each)) : list);

const results = { conditions: conditions(), scenarios: {} };
const guesses = new Map();              // of each contender's highest rate: its last one
for (const name of chosen) {
  results.scenarios[name] = await measure(name, scenarios[name]);
  results.conditions.ended = new Date().toISOString();
  if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 1));
  console.log(tables(results, [name]));
}

async function measure(name, scenario) {
  const outcomes = {};                  // by contender: "palimpsest ably-json"
  for (let run = 0; run < Number(values.runs); ++run) {
    for (const server of only(scenario.servers, values.servers)) {
      const running = await start(server, scenario.options);
      try {
        for (const dialect of only(running.dialects, values.dialects).slice(0, scenario.dialects)) {
          const contender = running.dialects.length > 1 ? `${server} ${dialect.replace('ably-', '')}` : server;
          process.stderr.write(`${name} ${run + 1}/${values.runs} ${contender}\n`);
          const outcome = await load(running, dialect, scenario, `${name} ${contender}`);
          (outcomes[contender] ??= []).push(outcome);
        }
      } finally {
        await running.stop();
      }
    }
  }
  return outcomes;
}

async function load(server, dialect, scenario, contender) {
  const args = [...server.args, '--dialect', dialect, '--pid', server.pids.join(','), ...scenario.args, '--json'];
  if (scenario.search) {
    const guess = guesses.get(contender);
    args.push('--search', '--precision', '0.08', '--rate', String(guess ?? scenario.search), '--growth', guess ? '1.25' : '2');
  }
  const outcome = JSON.parse(await generate(args));
  if (scenario.search) guesses.set(contender, outcome.publishes_per_s);
  return outcome;
}

/** What the generator prints; that something was lost is in there. */
function generate(args) {
  return new Promise((resolve, reject) => {
    const done = (error, out) => (out.startsWith('{') ? resolve(out) : reject(new Error(`palimpsest bench ${args.join(' ')}: ${error?.message}`)));
    execFile(...pinned(generatorCores, palimpsest, 'bench', ...args), { maxBuffer: 64 << 20 }, done).stderr.pipe(process.stderr);
  });
}

function conditions() {
  const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return {
    cpu: os.cpus()[0].model, cores: os.cpus().length, kernel: os.release(), node: process.version, load: os.loadavg()[0],
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') ? ' and changes' : ''),
    started: new Date().toISOString(), runs: Number(values.runs),
  };
}
