import assert from 'node:assert/strict';
import test from 'node:test';
import { peopleOf } from './people.js';

test('members of several pages are one person; oneself comes first, the others by name', () => {
  const member = (clientId, username) => ({ clientId, data: { username } });
  const members = [member('z', 'Zoe'), member('b', 'Bob'), member('b', 'Bob'), member('me', 'Mia'), { clientId: 'x', data: { username: '\u200b\u3164' } }, { clientId: 'y' }];
  assert.deepEqual(peopleOf(members, 'me'), [
    { clientId: 'me', name: 'Mia', isMe: true },
    { clientId: 'b', name: 'Bob', isMe: false },
    { clientId: 'x', name: 'somebody', isMe: false },
    { clientId: 'y', name: 'somebody', isMe: false },
    { clientId: 'z', name: 'Zoe', isMe: false },
  ]);
});
