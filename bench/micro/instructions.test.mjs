// How many instructions each operation takes does not depend on the machine's mood: held against a table, so that what makes one
// slower is noticed where it is made. With UPDATE=1 it writes the table anew.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

const table = new URL('instructions.txt', import.meta.url);
const tolerance = 0.1; // of compilers and libraries that differ a little

function measure() {
    const folder = mkdtempSync(join(tmpdir(), 'instructions-'));
    try {
        const callgrind = ['--tool=callgrind', '--collect-atstart=no', '--quiet', '--callgrind-out-file=out'];
        const options = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] };
        execFileSync('valgrind', [...callgrind, process.env.INSTRUCTIONS], options);
        const counts = new Map();
        for (const file of readdirSync(folder)) {
            const dump = readFileSync(join(folder, file), 'utf8');
            const operation = dump.match(/^desc: Trigger: Client Request: (\d+) (.+)$/m);
            const total = dump.match(/^(?:totals|summary): (\d+)/m);
            if (operation) counts.set(operation[2], Math.round(Number(total[1]) / Number(operation[1])));
        }
        return counts;
    } finally {
        rmSync(folder, { recursive: true });
    }
}

test('each operation takes as many instructions as it did', () => {
    const counts = measure();
    assert.ok(counts.size > 10, `only ${counts.size} operations were measured`);
    if (process.env.UPDATE) {
        const lines = [...counts].sort().map(([operation, count]) => `${String(count).padStart(7)}  ${operation}\n`);
        writeFileSync(table, lines.join(''));
    }
    const expected = new Map(
        readFileSync(table, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => [line.trim().replace(/^\d+\s+/, ''), parseInt(line)]),
    );
    assert.deepEqual([...counts.keys()].sort(), [...expected.keys()].sort());
    const off = [...counts].filter(([operation, count]) => Math.abs(count / expected.get(operation) - 1) > tolerance);
    assert.deepEqual(off.map(([operation, count]) => `${operation}: ${expected.get(operation)} → ${count}`), []);
});
