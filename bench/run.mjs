// Measures scenarios: node bench/run.mjs SCENARIO…|all [--runs 5] [--servers a,b] [--dialects ably-json] [--json FILE] [--realtime]
//
// Servers take turns (A B C, A B C, …), each run with a fresh server on core 0 and the generator on core 1, so that what the machine
// does meanwhile befalls them alike: compare within one file. Prints medians with their spread, and ratios to the floor.
// With --json, what FILE has of other scenarios stays in it.
// --realtime lets both go before everything else on a busy machine (root only).
// Needs the release build: cmake --build --preset release --target palimpsest floor. Peers that are not installed are left out:
// bench/peers/install gets them.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { tables } from './report.mjs';
import { optionsOf, scenarios } from './scenarios.mjs';
import { generatorCores, palimpsest, pinned, setRealtime, start } from './servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' }, servers: { type: 'string' }, dialects: { type: 'string' }, json: { type: 'string' },
    realtime: { type: 'boolean' },
  },
});
setRealtime(values.realtime);
const chosen = positionals.includes('all') ? Object.keys(scenarios) : positionals;
const unknown = chosen.filter((name) => !(name in scenarios));
if (chosen.length === 0 || unknown.length > 0) {
  console.error(`usage: node bench/run.mjs SCENARIO…|all; scenarios: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
const only = (list, wanted) => (wanted ? list.filter((each) => wanted.split(',').includes(each)) : list);

const before = values.json && existsSync(values.json) ? JSON.parse(readFileSync(values.json, 'utf8')).scenarios : {};
const results = { conditions: conditions(), scenarios: before };
const guesses = new Map();              // of each contender's highest rate: its last one
for (const name of chosen) {
  results.scenarios[name] = await measure(name, scenarios[name]);
  results.conditions.ended = new Date().toISOString();
  if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 1));
  console.log(tables(results, [name]));
}

/** The outcomes of all runs, by contender: "palimpsest json". */
async function measure(name, scenario) {
  const outcomes = {}, runs = Math.min(Number(values.runs), scenario.runs ?? Infinity);
  for (let run = 1; run <= runs; ++run) {
    for (const server of only(scenario.servers, values.servers)) {
      if (run > 1 && scenario.rare?.includes(server)) continue;
      let enough = false;
      for (const [variant, args] of Object.entries(scenario.variants ?? { '': {} })) {
        const running = await start(server.split(' ')[0], { ...scenario.options, ...optionsOf(server) });
        if (!running) break;
        try {
          for (const dialect of only(running.dialects, values.dialects).slice(0, scenario.dialects)) {
            const contender = [server, scenario.dialects > 1 && running.dialects.length > 1 && dialect.replace('ably-', ''), variant].filter(Boolean).join(' ');
            process.stderr.write(`${name} ${run}/${runs} ${contender}\n`);
            const all = { dialect, pid: running.pids.join(','), ...running.args, ...scenario.args, ...scenario.argsOf?.[server], ...args };
            const outcome = await load(scenario, all, contender);
            (outcomes[contender] ??= []).push(outcome);
            enough = scenario.until?.(outcome) ?? false;
          }
        } catch (error) {
          process.stderr.write(`${name} ${server}: ${error.message}\n`);
          (outcomes[`${server} ${variant}`.trim()] ??= []).push({ failed: error.message });
        } finally {
          await running.stop();
        }
        if (enough) break;
      }
    }
  }
  return outcomes;
}

async function load(scenario, args, contender) {
  if (!scenario.search) return generate(args);
  const kind = `${contender} of ${scenario.args.channels ?? 1}`, guess = guesses.get(kind);
  const search = { search: true, precision: 0.08, rate: guess ?? scenario.search, growth: guess ? 1.25 : 2 };
  const found = await generate({ ...args, ...search });
  guesses.set(kind, found.publishes_per_s);
  if (!scenario.overload) return found;
  return { ...(await generate({ ...args, ...scenario.argsAfter, rate: found.publishes_per_s * scenario.overload })), peak: found };
}

/** The outcome that the generator prints; that something was lost is in there. */
function generate(args) {
  const options = Object.entries(args).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));
  const command = pinned(generatorCores, palimpsest, 'bench', ...options, '--json');
  return new Promise((resolve, reject) => {
    const done = (error, out) => (out.startsWith('{') ? resolve(JSON.parse(out)) : reject(new Error(`${command.flat().join(' ')}: ${error?.message}`)));
    execFile(...command, { maxBuffer: 64 << 20 }, done).stderr.pipe(process.stderr);
  });
}

function conditions() {
  const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return {
    cpu: os.cpus()[0].model, cores: os.cpus().length, kernel: os.release(), node: process.version, load: os.loadavg()[0],
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') ? ' and changes' : ''),
    started: new Date().toISOString(), runs: Number(values.runs), realtime: values.realtime ?? false,
  };
}
