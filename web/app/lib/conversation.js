/** What the page shows: the rows, with the reader's own changes that are still under way laid over them. */
export function conversation(rows, entries, me) {
  const latest = new Map(entries.filter((entry) => entry.kind !== 'new').map((entry) => [entry.target, entry]));
  const shown = rows.map((row) => ({ ...fromRow(row, me.clientId), ...overlay(latest.get(row.msg_id)) }));
  const written = new Set(rows.map((row) => row.msg_id));
  const coming = entries.filter((entry) => entry.kind === 'new' && !written.has(entry.target));
  return shown.concat(coming.map((entry) => fromEntry(entry, me)));
}

function fromRow(row, clientId) {
  return {
    id: row.msg_id,
    author: row.client_id ?? row.username,
    username: row.username,
    text: row.msg_data,
    at: toMillis(row.created_at_timestamp),
    edited: row.is_edited,
    own: Boolean(clientId) && row.client_id === clientId,
    status: '',
  };
}

function fromEntry(entry, me) {
  return {
    id: entry.target,
    author: me.clientId,
    username: me.name,
    text: entry.text,
    at: entry.at,
    edited: false,
    own: true,
    ...overlay(entry),
  };
}

/** `status` is '', 'sending', 'saving', 'deleting' or 'failed'; `entry` names what to try again or discard. */
function overlay(entry) {
  if (!entry) return {};
  const status = entry.state === 'failed' ? 'failed' : { new: 'sending', edit: 'saving', delete: 'deleting' }[entry.kind];
  const text = entry.kind === 'edit' ? { text: entry.text } : {};
  return { status, entry: entry.id, kind: entry.kind, reason: entry.reason, ...text };
}

/** The table's timestamps are milliseconds or ISO text, by the column's type. */
export function toMillis(timestamp) {
  const number = Number(timestamp);
  return Number.isNaN(number) ? Date.parse(timestamp) : number;
}

const SAME_BREATH_MS = 5 * 60_000;

/** Marks where a day begins (`day`), and where an author begins to speak (`opens`) or ends (`closes`). */
export function grouped(messages) {
  const dayOf = (at) => new Date(at).toDateString();
  const continues = (a, b) =>
    a && b && a.author === b.author && a.username === b.username && dayOf(a.at) === dayOf(b.at) && b.at - a.at < SAME_BREATH_MS;
  return messages.map((message, i) => ({
    ...message,
    day: i === 0 || dayOf(messages[i - 1].at) !== dayOf(message.at) ? message.at : null,
    opens: !continues(messages[i - 1], message),
    closes: !continues(message, messages[i + 1]),
  }));
}
