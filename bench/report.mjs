// Prints the tables of a file that bench/run.mjs wrote, as Markdown: node bench/report.mjs FILE [docs/benchmarks.md]
// With a second file, they replace what stands in it between "<!-- tables -->" and "<!-- end of tables -->".
import { readFileSync, writeFileSync } from 'node:fs';
import { scenarios } from './scenarios.mjs';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const number = (value, digits) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Medians, (least–most), and as a multiple of the baseline's: by turns, as how fast a machine is changes from one to the next. */
function cell(figure, outcomes, baseline) {
  if (figure.parts) return figure.parts.map((of) => number(median(outcomes.map(of)), figure.digits)).join(' / ');
  const values = outcomes.map(figure.of), middle = median(values), least = Math.min(...values), most = Math.max(...values);
  const spread = least === most ? '' : ` (${number(least, figure.digits)}–${number(most, figure.digits)})`;
  const base = baseline && baseline !== outcomes ? baseline.map(figure.of) : [];
  const multiple = base.length === values.length ? median(values.map((each, turn) => each / base[turn])) : middle / median(base);
  return number(middle, figure.digits) + spread + (Number.isFinite(multiple) ? ` = ${number(multiple, 2)} ×` : '');
}

/** A contender's baseline is of its own format and variant, where there is one. */
function baselineOf(contender, { servers, baseline }, found) {
  const server = servers.filter((name) => contender.startsWith(name)).sort((a, b) => b.length - a.length)[0] ?? contender;
  const tail = contender.slice(server.length);
  const outcomes = [baseline + tail, `${baseline} json`, baseline].map((name) => found[name]).find(Boolean);
  return outcomes?.filter((each) => !each.failed);
}

const bound = (outcomes) => (outcomes.some((each) => each.generator_bound) ? ' (the generator is the limit)' : '');

function losses(outcomes) {
  const lossy = outcomes.filter((each) => !each.lossless);
  return lossy.length === 0 ? 'none' : `in ${lossy.length} of ${outcomes.length} runs: ${lossy.map((each) => each.missing).join(', ')} missing`;
}

export function tables(results, names = Object.keys(results.scenarios)) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return names.map((name) => {
    const scenario = scenarios[name], found = results.scenarios[name];
    const rows = Object.entries(found).map(([contender, all]) => {
      const outcomes = all.filter((each) => !each.failed), baseline = baselineOf(contender, scenario, found);
      if (outcomes.length === 0) return [contender, ...scenario.figures.map(() => '–'), 'no rate passes, or it could not be measured'];
      const base = baseline?.length > 0 && baseline[0] !== outcomes[0] ? baseline : null;
      return [contender + (scenario.search ? bound(outcomes) : ''), ...scenario.figures.map((figure) => cell(figure, outcomes, base)), losses(outcomes)];
    });
    const head = ['server', ...scenario.figures.map((figure) => figure.name), 'losses'];
    const versus = scenario.baseline ? ` (× ${scenario.baseline})` : '';
    return [`**${name}: ${scenario.title}**${versus}`, '', line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
  }).join('\n');
}

function report({ conditions, scenarios: measured }) {
  const realtime = conditions.realtime ? ', server and generator scheduled before all else' : '';
  return `${conditions.cpu}, ${conditions.cores} cores, Linux ${conditions.kernel}, commit ${conditions.commit}, ${conditions.started}, load ` +
    `${conditions.load.toFixed(1)} at the start${realtime}. Medians of ${conditions.runs} runs (least–most) where a scenario does not say less, and ` +
    `multiples of the baseline's in the same turn.\n\n${tables({ scenarios: measured }, Object.keys(measured).filter((name) => name !== 'curve'))}`;
}

if (process.argv[1] === import.meta.filename) {
  const [, , from, into] = process.argv, text = report(JSON.parse(readFileSync(from, 'utf8')));
  if (into) {
    const marked = /(<!-- tables -->\n)[^]*?(<!-- end of tables -->)/, before = readFileSync(into, 'utf8');
    if (!marked.test(before)) throw new Error(`${into} has no place for tables`);
    writeFileSync(into, before.replace(marked, (_, start, end) => `${start}\n${text}\n${end}`));
  } else {
    console.log(text);
  }
}
