import { isBlank } from './blank.js';

/** Presence members, one for every open page, as people: one for every client id, oneself first, then by name. */
export function peopleOf(members, me) {
  const byId = new Map(members.map(({ clientId, data }) => [clientId, isBlank(data?.username ?? '') ? 'somebody' : data.username]));
  return [...byId]
    .map(([clientId, name]) => ({ clientId, name, isMe: clientId === me }))
    .sort((a, b) => b.isMe - a.isMe || a.name.localeCompare(b.name));
}
