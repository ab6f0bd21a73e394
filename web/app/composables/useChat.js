import { conversation, grouped, withGone } from '~/lib/conversation.js';
import { onceAFrame } from '~/lib/frames.js';

/** The conversation: what was read, with what is being written laid over it, drawn anew at most once a frame. */
export function useChat(connection, name, editing) {
  const messages = shallowRef([]);
  const reading = ref('');               // the id of the message the reader looks at; '' at the end

  const draw = onceAFrame(() => {
    const me = { clientId: connection.clientId.value, name: name.value };
    const shown = conversation(timeline.rows(), outbox.entries(), me);
    messages.value = grouped(editing.value && !shown.some(({ id }) => id === editing.value.id) ? withGone(shown, editing.value.message) : shown);
  });

  const { outbox, ...writing } = useOutbox(connection, name, { onChange: draw, rowOf: (id) => timeline.row(id) });
  const { timeline, state, loadOlder } = useMessages(connection, {
    reading: () => reading.value,
    onChange(change) {
      if (change) outbox.heard(change);
      draw();
    },
    onPage() {
      const handled = outbox.handledIds();
      return () => outbox.read(handled, (id) => Boolean(timeline.row(id)));
    },
  });
  watch([connection.clientId, editing], draw);

  return {
    messages,
    reading,
    state,
    loadOlder,
    ...writing,
    versionsOf: (id) => connection.getJson(`/api/messages/${encodeURIComponent(id)}/versions`),
  };
}
