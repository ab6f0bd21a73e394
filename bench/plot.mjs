// Draws latency against rate from the scenario `curve` of a file that bench/run.mjs wrote: node bench/plot.mjs FILE > docs/latency.svg
import { readFileSync } from 'node:fs';

const results = JSON.parse(readFileSync(process.argv[2], 'utf8')), curve = results.scenarios.curve;
if (!curve) throw new Error('the file has no scenario "curve"');

const width = 860, height = 480, left = 70, right = 150, top = 50, bottom = 56;
const lines = new Map();                // by server: [{rate, p50, p99}], ascending
for (const [contender, outcomes] of Object.entries(curve)) {
  const server = contender.split(' ')[0], [outcome] = outcomes;
  if (outcome.failed || outcome.latency_ms.count === 0) continue;
  lines.set(server, [...(lines.get(server) ?? []), { rate: outcome.deliveries_per_s, ...outcome.latency_ms }]);
}
const colours = { palimpsest: '#c2410c', 'floor-turn': '#475569', 'floor-each': '#94a3b8', nats: '#1d4ed8', nchan: '#15803d', ws: '#7e22ce', socketio: '#be185d' };

const all = [...lines.values()].flat();
const decades = (values) => [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
const [x0, x1] = decades(all.map(({ rate }) => rate)), [y0, y1] = decades(all.flatMap(({ p50, p99 }) => [p50, p99]));
const x = (rate) => (left + ((Math.log10(rate) - x0) / (x1 - x0)) * (width - left - right)).toFixed(1);
const y = (ms) => (height - bottom - ((Math.log10(ms) - y0) / (y1 - y0)) * (height - top - bottom)).toFixed(1);
const short = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : `${value}`);

const svg = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
  `<title>Latency against deliveries per second</title><rect width="${width}" height="${height}" fill="white"/>`,
  `<text x="${left}" y="24" font-size="15">1 channel × 1,000 subscribers: latency from when a message was due (solid p50, dashed p99)</text>`];
for (let decade = x0; decade <= x1; ++decade) {
  const at = x(10 ** decade);
  svg.push(`<path d="M${at} ${top}V${height - bottom}" stroke="#e2e8f0"/><text x="${at}" y="${height - bottom + 18}" text-anchor="middle">${short(10 ** decade)}</text>`);
}
for (let decade = y0; decade <= y1; ++decade) {
  const at = y(10 ** decade);
  svg.push(`<path d="M${left} ${at}H${width - right}" stroke="#e2e8f0"/><text x="${left - 8}" y="${at}" dy="4" text-anchor="end">${10 ** decade}</text>`);
}
svg.push(`<text x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">deliveries per second</text>`,
  `<text transform="translate(18 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">ms</text>`);
[...lines].forEach(([server, points], i) => {
  const colour = colours[server] ?? 'black', path = (key) => points.map((point, n) => `${n ? 'L' : 'M'}${x(point.rate)} ${y(point[key])}`).join('');
  svg.push(`<path d="${path('p50')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    `<path d="${path('p99')}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="5 4"/>`,
    `<path d="M${width - right + 16} ${top + 8 + i * 20}h22" stroke="${colour}" stroke-width="2"/>`,
    `<text x="${width - right + 44}" y="${top + 12 + i * 20}">${server}</text>`);
});
console.log([...svg, '</svg>'].join('\n'));
