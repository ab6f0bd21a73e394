import assert from 'node:assert/strict';
import test from 'node:test';
import { dayOf, dayText } from './times.js';

const noon = (...date) => new Date(...date, 12).getTime();

test('near days have names, far ones their date, and old ones their year', () => {
  const now = noon(2024, 0, 2);
  assert.equal(dayText(new Date(2024, 0, 2).getTime(), now), 'Today');
  assert.equal(dayText(new Date(2024, 0, 1, 23, 59).getTime(), now), 'Yesterday');
  assert.match(dayText(noon(2023, 11, 31), now), /2023/);
  assert.doesNotMatch(dayText(noon(2024, 0, 20), now), /2024/);
});

test('a day ends where the next begins, whatever the clocks do', () => {
  for (let day = 1; day <= 366; day++) assert.equal(dayOf(noon(2024, 0, day)).ends, dayOf(noon(2024, 0, day + 1)).begins);
});
