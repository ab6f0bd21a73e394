// Deltas of our encoder, decoded by others: what the SDK uses, and xdelta3.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import vcdiff from '@ably/vcdiff-decoder';

const program = process.env.VCDIFF_CASES;

/** Random payloads and edits of them: [{base, target, delta}], as bytes. */
function cases(count, seed) {
  const lines = execFileSync(program, [count, seed], { encoding: 'utf8', maxBuffer: 512 << 20 }).split('\n');
  const bytes = lines.slice(0, -1).map((line) => Buffer.from(line, 'base64'));
  return Array.from({ length: count }, (_, i) => ({ base: bytes[3 * i], target: bytes[3 * i + 1], delta: bytes[3 * i + 2] }));
}

suite('a delta gives the target again', () => {
  test("with the decoder of Ably's SDK", () => {
    for (const [i, { base, target, delta }] of cases(1_000, 1).entries()) {
      assert.ok(target.equals(vcdiff.decode(delta, base)), `case ${i}`);
    }
  });

  test('with xdelta3', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'palimpsest-vcdiff-'));
    t.after(() => rm(folder, { recursive: true }));
    const source = path.join(folder, 'base');
    for (const [i, { base, target, delta }] of cases(300, 2).entries()) {
      await writeFile(source, base);
      const decoded = execFileSync('xdelta3', ['-d', '-c', '-s', source], { input: delta, maxBuffer: 64 << 20 });
      assert.ok(target.equals(decoded), `case ${i}: ${base.length} bytes to ${target.length}`);
    }
  });
});
