import { Outbox } from '~/lib/outbox.js';
import { KeptMap } from '~/lib/storage.js';

const RETRY_MS = 3000;

/** Writing: what was asked for on `outgoing-chat` and is not in the table yet. `onChange` is called when that changes. */
export function useOutbox({ client, clientId }, name, { onChange, rowOf }) {
  const outbox = new Outbox(new KeptMap('outbox:'));
  const outgoing = client.channels.get('outgoing-chat', { modes: ['PUBLISH', 'PRESENCE', 'PRESENCE_SUBSCRIBE'] });
  const waiting = new Set();             // ids of entries that could not go out

  // A publish is acknowledged when the write was dealt with; that it was refused is told on a channel of one's own, to every tab.
  // So nothing is published before that is listened to (or, where that is not allowed, was tried).
  const listening = new Promise((done) => watch(clientId, (id) => {
    const refused = ({ data }) => {
      outbox.fail(data.messageId, data.message);
      onChange();
    };
    client.channels.get(`chat-errors:${id}`).subscribe('refused', refused).then(done, done);
  }));

  async function publish(entry) {
    onChange();
    await listening;
    try {
      await outgoing.publish({ id: entry.id, ...toWire(entry) });
      outbox.handled(entry.id, rowOf(entry.target)?.msg_data);
    } catch (error) {
      if (isForGood(error, outgoing.state)) outbox.fail(entry.id, error.message);
      else waitToPublish(entry);
    }
    onChange();
  }

  // Whatever could not go out goes out once there is a server again. Ids stay, so nothing is written twice.
  function waitToPublish(entry) {
    waiting.add(entry.id);
    setTimeout(publishWaiting, RETRY_MS);
  }
  function publishWaiting() {
    if (client.connection.state !== 'connected') return;
    const entries = outbox.entries().filter(({ id, state }) => waiting.has(id) && state === 'sending');
    waiting.clear();
    entries.forEach(publish);
  }
  client.connection.on('connected', publishWaiting);


  outbox.entries().filter(({ state }) => state === 'sending').forEach(publish);  // of a page that was closed too early

  const write = (kind, fields) => publish(outbox.add({ id: crypto.randomUUID(), kind, at: Date.now(), ...fields }));
  return {
    outbox,
    send: (text) => write('new', { text, username: name.value }),
    edit: (target, text) => write('edit', { target, text }),
    remove: (target) => write('delete', { target }),
    /** Publishes again what failed, and what waits behind it. */
    retry: (id) => outbox.entries().filter((entry) => entry.id === id || entry.target === id).forEach((entry) => publish(outbox.retry(entry.id))),
    discard(id) {
      outbox.discard(id);
      onChange();
    },
  };
}

/** Not for want of a connection (8xxxx), of a channel that is being attached again (9xxxx), or of a server that is well. */
function isForGood({ code, statusCode }, channelState) {
  if (code >= 90000) return channelState === 'failed';
  return code < 80000 && statusCode < 500 && statusCode !== 429;
}

function toWire({ kind, target, text, username }) {
  switch (kind) {
    case 'new': return { name: 'chatMsg', data: { username, content: text } };
    case 'edit': return { name: 'editedMsg', data: { content: text, msgIdToEdit: target } };
    case 'delete': return { name: 'deletedMsg', data: { msgIdToDelete: target } };
  }
}
