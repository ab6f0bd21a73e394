import assert from 'node:assert/strict';
import test from 'node:test';
import { nameTrouble, textTrouble } from './limits.js';

test('names are bounded in characters, as the server counts them', () => {
  assert.equal(nameTrouble('😀'.repeat(100)), '');
  assert.match(nameTrouble('x'.repeat(101)), /101 of at most 100 characters/);
});

test('texts are bounded in bytes', () => {
  assert.equal(textTrouble('x'.repeat(32_768)), '');
  assert.equal(textTrouble('€'.repeat(10_922)), '');
  assert.match(textTrouble('€'.repeat(10_923)), /too long/);
  assert.match(textTrouble('x'.repeat(32_769)), /too long/);
});

test('what cannot be seen is said, but not while nothing is typed yet', () => {
  for (const text of ['', ' \n', 'a\u200b']) assert.deepEqual([nameTrouble(text), textTrouble(text)], ['', ''], JSON.stringify(text));
  for (const text of ['\u200b', ' \u3164 ', '\u2800\u202e']) {
    assert.match(nameTrouble(text), /Nothing of this name/);
    assert.match(textTrouble(text), /Nothing of this text/);
  }
});
