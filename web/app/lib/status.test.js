import assert from 'node:assert/strict';
import test from 'node:test';
import { firstStatus, nextStatus } from './status.js';

/** The texts that follow each other, as a screen reader says them. */
function said(...states) {
  const texts = [firstStatus.text];
  let status = firstStatus;
  for (const state of states) {
    status = nextStatus(status, state);
    if (status.text !== texts.at(-1)) texts.push(status.text);
  }
  return texts;
}

test('a long outage is said once, whatever is tried meanwhile', () => {
  const attempts = ['connecting', 'disconnected', 'connecting', 'suspended', 'connecting', 'suspended', 'connecting', 'suspended'];
  assert.deepEqual(said('connecting', 'connected', ...attempts, 'connecting', 'connected'), [
    'Connecting…', 'Live', 'Reconnecting…', 'Offline, trying again…', 'Live',
  ]);
});

test('a server that was never there is being connected to', () => {
  assert.deepEqual(said('connecting', 'disconnected', 'connecting', 'disconnected'), ['Connecting…']);
});
