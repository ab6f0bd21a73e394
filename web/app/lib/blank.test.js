import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { isBlank, visibleText } from './blank.js';

const root = new URL('../../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');

test('the cases that the server has too', () => {
  const cases = read('tests/fixtures/blank_cases.txt').split('\n').filter((line) => line && !line.startsWith('#'));
  assert.ok(cases.length > 70);
  for (const line of cases) {
    const [expected, ...points] = line.split(' ');
    const text = String.fromCodePoint(...points.map((point) => parseInt(point, 16)));
    assert.equal(isBlank(text), expected === 'blank', line);
    assert.equal(visibleText(text) === '', expected === 'blank', line);
  }
});

test('a draft is taken without the spaces around it', () => {
  assert.equal(visibleText(' \n a b\t'), 'a b');
});

test('the server’s table is made of this rule', (t) => {
  const table = read('src/functions/blank_characters.inc');
  const [, version] = table.match(/of Unicode (\S+)[.]\n/);
  if (version !== process.versions.unicode) return t.skip(`it is of Unicode ${version}, and this Node has ${process.versions.unicode}`);
  assert.equal(table, execFileSync(process.execPath, [new URL('scripts/blank-table.mjs', root).pathname], { encoding: 'utf8' }));
});
