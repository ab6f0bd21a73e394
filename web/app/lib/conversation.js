import { isBlank } from './blank.js';
import { dayOf } from './times.js';

/** What the page shows: the rows, with the reader's own changes that are still under way laid over them. */
export function conversation(rows, entries, me) {
  const changes = new Map(entries.filter((entry) => entry.kind !== 'new').map((entry) => [entry.target, entry]));
  const shown = rows.map((row) => laidOver(fromRow(row, me.clientId), changes.get(row.msg_id)));
  const coming = entries.filter((entry) => entry.kind === 'new');
  if (!coming.length) return shown;
  const written = new Set(rows.map((row) => row.msg_id));
  return shown.concat(coming.filter((entry) => !written.has(entry.target)).map((entry) => fromEntry(entry, changes.get(entry.target), me)));
}

const messageOf = new WeakMap();         // by row: a row that did not change is the same message

function fromRow(row, clientId) {
  const own = Boolean(clientId) && row.client_id === clientId;
  const known = messageOf.get(row);
  if (known?.own === own) return known;
  const message = {
    id: row.msg_id,
    author: row.client_id ?? row.username,
    username: isBlank(row.username) ? 'somebody' : row.username,
    text: row.msg_data,
    at: toMillis(row.created_at_timestamp),
    edited: row.is_edited,
    own,
    status: '',
  };
  messageOf.set(row, message);
  return message;
}

/** A message that is not in the table yet. It may have been edited meanwhile: what failed first is what is to be tried again. */
function fromEntry(entry, change, me) {
  const message = { id: entry.target, author: me.clientId, username: entry.username ?? me.name, text: entry.text, at: entry.at, edited: false, own: true };
  const shown = laidOver(message, change);
  return change && entry.state !== 'failed' ? shown : { ...laidOver(message, entry), text: shown.text };
}

/** `status` is '', 'sending', 'saving', 'deleting' or 'failed'; `entry` names what to try again or discard. */
function laidOver(message, entry) {
  if (!entry) return message;
  const status = entry.state === 'failed' ? 'failed' : { new: 'sending', edit: 'saving', delete: 'deleting' }[entry.kind];
  const text = entry.kind === 'edit' ? { text: entry.text } : {};
  return { ...message, status, entry: entry.id, kind: entry.kind, reason: entry.reason, ...text };
}

/** The table's timestamps are milliseconds or ISO text, by the column's type. */
export function toMillis(timestamp) {
  const number = Number(timestamp);
  return Number.isNaN(number) ? Date.parse(timestamp) : number;
}

/** Keeps a message that is being edited where it stood, though it is gone: what one writes does not vanish. */
export function withGone(messages, gone) {
  const behind = messages.findIndex((message) => message.at > gone.at);
  return messages.toSpliced(behind < 0 ? messages.length : behind, 0, { ...gone, status: 'gone' });
}

const SAME_BREATH_MS = 5 * 60_000;
const groupedOf = new WeakMap();         // by message: as it was shown last

/** Marks where a day begins (`day`), and where an author begins to speak (`opens`) or ends (`closes`). */
export function grouped(messages) {
  let day = { begins: 0, ends: 0 };      // the day of the message that is looked at
  let dayBegins = false, opens = true;
  return messages.map((message, i) => {
    const next = messages[i + 1];
    if (i === 0) (day = dayOf(message.at)), (dayBegins = true);
    const marks = { day: dayBegins ? message.at : null, opens, closes: true };
    if (next) {
      dayBegins = !(next.at >= day.begins && next.at < day.ends);
      if (dayBegins) day = dayOf(next.at);
      opens = dayBegins || !continues(message, next);
      marks.closes = opens;
    }
    return marked(message, marks);
  });
}

const continues = (a, b) => a.author === b.author && a.username === b.username && b.at - a.at < SAME_BREATH_MS;

function marked(message, marks) {
  const known = groupedOf.get(message);
  if (known && known.day === marks.day && known.opens === marks.opens && known.closes === marks.closes) return known;
  const shown = { ...message, ...marks };
  groupedOf.set(message, shown);
  return shown;
}
