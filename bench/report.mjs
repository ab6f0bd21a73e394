// Prints the tables of a file that bench/run.mjs wrote, as Markdown: node bench/report.mjs FILE
import { readFileSync } from 'node:fs';
import { scenarios } from './scenarios.mjs';

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const number = (value, digits) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Medians, (least–most), and as a share of the baseline's in the same format. */
function cell(figure, outcomes, baseline) {
  const values = outcomes.map(figure.of), middle = median(values);
  const ratio = baseline && baseline !== outcomes ? ` = ${number(middle / median(baseline.map(figure.of)), 2)} ×` : '';
  return `${number(middle, figure.digits)} (${number(Math.min(...values), figure.digits)}–${number(Math.max(...values), figure.digits)})${ratio}`;
}

function baselineOf(contender, scenario, results) {
  const format = contender.split(' ')[1];
  return results[`${scenario.baseline} ${format ?? 'json'}`] ?? results[`${scenario.baseline} json`] ?? results[scenario.baseline];
}

const bound = (outcomes) => (outcomes.some((each) => each.generator_bound) ? ' (generator-bound)' : '');
const lost = (outcomes) => (outcomes.every((each) => each.lossless) ? 'none' : `${outcomes.filter((each) => !each.lossless).length} runs lost some`);

export function tables(results, names = Object.keys(results.scenarios)) {
  return names.map((name) => {
    const scenario = scenarios[name], found = results.scenarios[name];
    const rows = Object.entries(found).map(([contender, outcomes]) => [
      contender + bound(outcomes), ...scenario.figures.map((figure) => cell(figure, outcomes, baselineOf(contender, scenario, found))), lost(outcomes),
    ]);
    const head = ['server', ...scenario.figures.map((figure) => figure.name), 'losses'];
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [`**${name}: ${scenario.title}**`, '', line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
  }).join('\n');
}

if (process.argv[1] === import.meta.filename) {
  const results = JSON.parse(readFileSync(process.argv[2], 'utf8')), { conditions } = results;
  console.log(`${conditions.cpu}, ${conditions.cores} cores, Linux ${conditions.kernel}, commit ${conditions.commit}, ${conditions.started}, ` +
    `load ${conditions.load.toFixed(1)} at the start; medians of ${conditions.runs} runs (least–most), ratios to the floor named.\n`);
  console.log(tables(results));
}
