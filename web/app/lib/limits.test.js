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
