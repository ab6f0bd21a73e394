/**
 * What was published and is not in the table yet. An entry asks for one change of one row and leaves when that change is
 * heard; until then the page shows it as if it had happened, marked. What failed stays until it is tried again or discarded.
 *
 * Entry: {id, kind: 'new'|'edit'|'delete', target, text, at, state: 'sending'|'failed', reason, handled}. `id` is the id of
 * the published message, and stays when it is published again, so that nothing is written twice; a new message's id is its
 * row's msg_id. `handled`: the server said that the write was dealt with. A new message has a `username` besides.
 *
 * `kept`, a Map of entries by id, outlives the page: what it holds at first is yet to be published.
 */
export class Outbox {
  #entries;
  #kept;

  constructor(kept = new Map()) {
    this.#kept = kept;
    this.#entries = [...kept.entries()].map(([, entry]) => entry).sort((a, b) => a.at - b.at);
  }

  entries() {
    return [...this.#entries];
  }

  add({ id, kind, target = id, text = '', at, ...more }) {
    const entry = { id, kind, target, text, at, state: 'sending', reason: '', handled: false, ...more };
    this.#entries.push(entry);
    this.#kept.set(id, entry);
    return entry;
  }

  find(id) {
    return this.#entries.find((entry) => entry.id === id);
  }

  retry(id) {
    return this.#change(id, { state: 'sending', reason: '', handled: false });
  }

  /** The server dealt with it. An edit that the table shows already (`shown` is its row's text) will not be heard again. */
  handled(id, shown) {
    const entry = this.#change(id, { handled: true });
    if (entry?.kind === 'edit' && entry.text === shown) this.discard(id);
  }

  fail(id, reason) {
    return this.#change(id, { state: 'failed', reason });
  }

  /** A new message that is given up takes the edits of it along. */
  discard(id) {
    this.#leave((entry) => entry.id === id || entry.target === id);
  }

  /** A change of the table was heard. */
  heard(change) {
    this.#leave((entry) => isSettledBy(entry, change));
  }

  /** Ids of what will surely be in any page that is asked for now. */
  handledIds() {
    return new Set(this.#entries.filter((entry) => entry.handled && entry.state === 'sending').map((entry) => entry.id));
  }

  /** A page was read that shows what was `handled` before it was asked for, and holds the messages that `has` knows. */
  read(handled, has) {
    this.#leave((entry) => handled.has(entry.id) || (entry.kind === 'new' && has(entry.target)));
  }

  #leave(goes) {
    if (!this.#entries.some(goes)) return;
    for (const { id } of this.#entries.filter(goes)) this.#kept.delete(id);
    this.#entries = this.#entries.filter((entry) => !goes(entry));
  }

  #change(id, fields) {
    const entry = this.find(id);
    if (!entry) return undefined;
    Object.assign(entry, fields);
    this.#kept.set(id, entry);
    return entry;
  }
}

function isSettledBy({ id, kind, target, text }, { type, row }) {
  if (row.msg_id !== target) return false;
  if (kind === 'edit' && type === 'UPDATE') return row.edit_id === id || row.msg_data === text;  // or it is somebody else's change
  if (kind === 'delete') return type === 'DELETE';
  return true;
}
