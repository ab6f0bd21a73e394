// Prints src/functions/blank_characters.inc: the ranges of the characters that web/app/lib/blank.js takes for blank.
// Usage: node scripts/blank-table.mjs >src/functions/blank_characters.inc
import { BLANK } from '../web/app/lib/blank.js';

const last = 0x10ffff;
const isSurrogate = (c) => c >= 0xd800 && c <= 0xdfff;
const ranges = [];
for (let c = 0; c <= last; c++) {
  if (isSurrogate(c) || !BLANK.test(String.fromCodePoint(c))) continue;
  if (ranges.at(-1)?.[1] === c - 1) ranges.at(-1)[1] = c;
  else ranges.push([c, c]);
}
const hex = (c) => `0x${c.toString(16).toUpperCase().padStart(4, '0')}`;
const lines = [];
for (const text of ranges.map(([first, end]) => `{${hex(first)}, ${hex(end)}},`)) {
  if (lines.length && lines.at(-1).length + text.length < 130) lines[lines.length - 1] += ` ${text}`;
  else lines.push(text);
}
console.log(`// Made by scripts/blank-table.mjs of Unicode ${process.versions.unicode}.\n${lines.join('\n')}`);
