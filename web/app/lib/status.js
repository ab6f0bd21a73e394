/**
 * What the reader should know of the connection. Attempts come and go every few seconds: they change nothing about being
 * offline, so the words stay until the state does, and a screen reader says them once.
 */
export function nextStatus(before, state, reason) {
  switch (state) {
    case 'connected': return { live: true, text: 'Live' };
    case 'suspended': return { live: false, text: 'Offline, trying again…' };
    case 'failed': return { live: false, text: `Cannot connect: ${reason?.message ?? 'unknown reason'}` };
    case 'closing':
    case 'closed': return { live: false, text: 'Closed' };
    default: return before.live ? { live: false, text: 'Reconnecting…' } : before;
  }
}

export const firstStatus = { live: false, text: 'Connecting…' };
