import { onceAFrame } from '~/lib/frames.js';
import { peopleOf } from '~/lib/people.js';

/** Who is here: presence on the channel that messages are published on. One is present from the moment one has a name. */
export function usePeople({ client, clientId }, name) {
  const { presence } = client.channels.get('outgoing-chat');
  const people = shallowRef([]);

  async function refresh() {
    people.value = peopleOf(await presence.get(), clientId.value);
  }
  // While the channel is not attached nobody knows who is here: what was known is left standing.
  const refreshed = onceAFrame(() => refresh().catch(() => {}));

  presence.subscribe(refreshed).catch(() => {});
  watch(clientId, refreshed);
  watch(name, (username) => username && presence.enter({ username }).catch(() => {}), { immediate: true });

  return people;
}
