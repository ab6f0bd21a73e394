// What cmake/PalimpsestHardening.cmake asks for is in the program. Reads it with binutils, which the compiler needs too.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';

const program = process.env.PALIMPSEST_BIN;
const read = (command, ...args) => execFileSync(command, [...args, program], { encoding: 'utf8', maxBuffer: 1 << 30 });

let dynamic, segments, imported;
before(() => {
  dynamic = read('readelf', '--wide', '--dynamic');
  segments = read('readelf', '--wide', '--program-headers');
  imported = new Set([...read('readelf', '--wide', '--dyn-syms').matchAll(/ UND (\w+)/g)].map(([, name]) => name));
});

test('the program may be loaded anywhere', () => {
  assert.match(dynamic, /FLAGS_1\).*\bPIE\b/);
  assert.doesNotMatch(dynamic, /TEXTREL/);
});

test('addresses of functions are resolved at the start, and cannot be written afterwards', () => {
  assert.match(dynamic, /FLAGS_1\).*\bNOW\b/);
  assert.match(segments, /GNU_RELRO/);
});

test('no memory can be written and executed, the stack included', () => {
  const stack = segments.match(/GNU_STACK .*0x[0-9a-f]+ (R?W?E?) /);
  assert.equal(stack?.[1], 'RW');
  assert.doesNotMatch(segments, / RWE /);
});

test('libraries are not looked for in folders of the build', () => {
  assert.doesNotMatch(dynamic, /\((RPATH|RUNPATH)\)/);
});

test('functions with arrays check the stack before they return', () => {
  assert.ok(imported.has('__stack_chk_fail'));
});

test('copies into buffers of a known size are checked, and indices of the standard library', () => {
  const checked = [...imported].filter((name) => /^__\w+_chk$/.test(name));
  assert.ok(checked.length >= 3, `only ${checked} are checked`);
  assert.ok(imported.has('_ZSt21__glibcxx_assert_failPKciS0_S0_'), 'no assertion of libstdc++ is in the program');
});

test('an indirect jump goes to the start of a function only', { skip: !['x64', 'arm64'].includes(process.arch) && 'no such instruction' }, () => {
  const landing = process.arch === 'x64' ? /endbr64/ : /bti\s+c|paciasp/;
  assert.match(read('objdump', '--no-show-raw-insn', '--disassemble=main'), landing);
});
