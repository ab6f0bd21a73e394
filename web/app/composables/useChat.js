import { conversation, grouped } from '~/lib/conversation.js';
import { Outbox } from '~/lib/outbox.js';
import { Timeline } from '~/lib/timeline.js';

const ROOM = 'main';
const PAGE = 50;
const RETRY_MS = 2000;

/** The conversation: the table's rows, kept by the changes on `incoming-chat`, and the reader's writes on `outgoing-chat`. */
export function useChat({ client, clientId, getJson }, name) {
  const timeline = new Timeline();
  const outbox = new Outbox();
  const messages = shallowRef([]);
  const isLoaded = ref(false);
  const hasOlder = ref(false);
  const loadingOlder = ref(false);
  const trouble = ref('');               // what went wrong and belongs to no message

  const outgoing = client.channels.get('outgoing-chat', { modes: ['PUBLISH', 'PRESENCE', 'PRESENCE_SUBSCRIBE'] });
  const incoming = client.channels.get('incoming-chat', { modes: ['SUBSCRIBE'] });

  function show() {
    const me = { clientId: clientId.value, name: name.value };
    messages.value = grouped(conversation(timeline.rows(), outbox.entries(), me));
    hasOlder.value = timeline.before != null;
  }

  // Reading. Whenever the channel is attached anew and changes may have been missed, the newest page is asked for: after the
  // attachment, so that whatever the page does not hold yet will be heard.
  incoming.on(['attached', 'update'], ({ resumed }) => {
    if (!resumed) loadNewest();
  });
  incoming.on('failed', ({ reason }) => {
    trouble.value = `The conversation cannot be followed: ${reason?.message ?? 'unknown reason'}`;
  });
  incoming.subscribe(({ data }) => {
    const change = JSON.parse(data);
    if (change.table !== 'chat_data' || change.row.room !== ROOM) return;
    timeline.apply(change);
    outbox.heard(change);
    show();
  });
  watch(clientId, show);

  const getPage = (before) => {
    const query = new URLSearchParams({ room: ROOM, limit: PAGE, ...(before !== null && { before }) });
    return getJson(`/api/messages?${query}`);
  };

  async function loadNewest() {
    const question = timeline.askNewest();
    const handled = outbox.handledIds();
    try {
      if (!timeline.answer(question, await getPage(null))) return;
      outbox.read(handled, (msgId) => Boolean(timeline.row(msgId)));
      isLoaded.value = true;
      trouble.value = '';
      show();
    } catch (error) {
      if (!timeline.giveUp(question)) return;
      trouble.value = `The messages could not be loaded (${error.message}). Trying again…`;
      setTimeout(loadNewest, RETRY_MS);
    }
  }

  async function loadOlder() {
    const question = timeline.askOlder();
    if (!question) return;
    loadingOlder.value = true;
    try {
      if (timeline.answer(question, await getPage(question.before))) show();
    } catch (error) {
      if (timeline.giveUp(question)) trouble.value = `Earlier messages could not be loaded (${error.message}).`;
    } finally {
      loadingOlder.value = false;
    }
  }

  // Writing. A publish is acknowledged when the write was dealt with; if it was refused, that is told on a channel of one's own.
  watch(clientId, (id) => client.channels.get(`chat-errors:${id}`).subscribe('refused', ({ data }) => refused(data)));

  function refused({ messageId, reason }) {
    if (!outbox.fail(messageId, reason)) trouble.value = reason;
    show();
  }

  async function publish(entry) {
    show();
    try {
      await outgoing.publish({ id: entry.id, ...toWire(entry, name.value) });
      outbox.handled(entry.id, timeline.row(entry.target)?.msg_data);
    } catch (error) {
      outbox.fail(entry.id, error.message);
    }
    show();
  }

  const write = (kind, fields) => publish(outbox.add({ id: crypto.randomUUID(), kind, at: Date.now(), ...fields }));

  return {
    messages,
    isLoaded,
    hasOlder,
    loadingOlder,
    trouble,
    loadOlder,
    send: (text) => write('new', { text }),
    edit: (target, text) => write('edit', { target, text }),
    remove: (target) => write('delete', { target }),
    retry: (id) => publish(outbox.retry(id)),
    discard: (id) => {
      outbox.discard(id);
      show();
    },
    versionsOf: (msgId) => getJson(`/api/messages/${encodeURIComponent(msgId)}/versions`),
  };
}

function toWire({ kind, target, text }, username) {
  switch (kind) {
    case 'new': return { name: 'chatMsg', data: { username, content: text } };
    case 'edit': return { name: 'editedMsg', data: { content: text, msgIdToEdit: target } };
    case 'delete': return { name: 'deletedMsg', data: { msgIdToDelete: target } };
  }
}
