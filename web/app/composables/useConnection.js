import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from 'ably/modular';
import { ablyOptions, serverAt } from '~/lib/server.js';
import { firstStatus, nextStatus } from '~/lib/status.js';

/** The one connection of the page: Ably's SDK, what the reader should know of its state, and REST to the same server. */
export function useConnection() {
  const server = serverAt(useRuntimeConfig().public.palimpsest, window.location);
  const client = new BaseRealtime({
    ...ablyOptions(server),
    plugins: { FetchRequest, RealtimePresence, WebSocketTransport },
  });
  const clientId = ref('');
  const status = shallowRef(firstStatus);

  client.connection.on(({ current, reason }) => {
    if (current === 'connected') clientId.value = client.auth.clientId ?? '';
    status.value = nextStatus(status.value, current, reason);
  });
  onScopeDispose(() => client.close());

  /** Throws when the server cannot be reached or answers with an error. */
  async function getJson(path) {
    const response = await fetch(server.origin + path, { headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response.json();
  }

  return { client, clientId, status, getJson };
}
