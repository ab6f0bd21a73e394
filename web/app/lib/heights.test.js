import assert from 'node:assert/strict';
import test from 'node:test';
import { Heights } from './heights.js';

function heightsOf(ids, measured = {}) {
  const heights = new Heights(10);
  heights.arrange(ids);
  for (const [id, px] of Object.entries(measured)) heights.measure(id, px);
  return heights;
}

test('an item stands below those in front of it, as high as they are or are guessed to be', () => {
  const heights = heightsOf(['a', 'b', 'c'], { b: 25 });
  assert.deepEqual([0, 1, 2, 3].map((i) => heights.top(i)), [0, 10, 35, 45]);
  assert.deepEqual([-5, 0, 9, 10, 34, 35, 1000].map((y) => heights.at(y)), [0, 0, 0, 1, 1, 2, 2]);
});

test('what was measured is known when the order changes', () => {
  const heights = heightsOf(['a', 'b'], { b: 25 });
  heights.arrange(['x', 'b', 'a']);
  assert.deepEqual([0, 1, 2, 3].map((i) => heights.top(i)), [0, 10, 35, 45]);
  assert.deepEqual(['x', 'b', 'a', 'gone'].map((id) => heights.indexOf(id)), [0, 1, 2, -1]);
});

test('measuring says whether it changed anything, and forgetting guesses again', () => {
  const heights = heightsOf(['a', 'b'], { a: 30 });
  assert.deepEqual([heights.measure('a', 30), heights.measure('a', 31), heights.measure('gone', 5)], [false, true, false]);
  assert.equal(heights.top(2), 41);
  heights.forget();
  assert.equal(heights.top(2), 20);
});

test('a place is kept at the next item that is left, or the one before, or the first', () => {
  const heights = heightsOf(['a', 'b', 'c', 'd'], { b: 25 });
  const place = { id: 'b', offset: -5 };
  assert.deepEqual(heights.placeAmong(['x', 'b'], place, 100), place);
  assert.deepEqual(heights.placeAmong(['a', 'd', 'e'], place, 100), { id: 'd', offset: 30 });
  assert.deepEqual(heights.placeAmong(['a', 'd', 'e'], place, 20), { id: 'd', offset: 0 });
  assert.deepEqual(heights.placeAmong(['a', 'e'], place, 100), { id: 'a', offset: -15 });
  assert.deepEqual(heights.placeAmong(['e', 'f'], place, 100), { id: 'e', offset: 0 });
});

test('an empty list has no height', () => {
  assert.equal(heightsOf([]).top(0), 0);
});

test('as a walk over the list would have it, whatever is measured in between', () => {
  let state = 7;
  const random = (n) => (state = (state * 48271) % 2147483647) % n;
  const ids = Array.from({ length: 50 }, (_, i) => `${i}`), px = ids.map(() => 10);
  const heights = heightsOf(ids);
  for (let step = 0; step < 500; step++) {
    const i = random(50);
    heights.measure(ids[i], (px[i] = random(40)));
    const at = random(51);
    assert.equal(heights.top(at), px.slice(0, at).reduce((sum, each) => sum + each, 0));
  }
});
