/**
 * The rows on the page, kept equal to the table from two sources: pages asked for over REST, and changes heard live.
 *
 * Changes come in commit order and none is missing, so applying each as it comes is right. A page is the table at some
 * moment between question and answer: newer than every change heard before the question, and perhaps older than those heard
 * since. So its rows replace what we hold, and the changes heard since the question are applied once more on top. A change
 * the page already held may show an older text until its successors, which are on their way, have arrived: whatever the
 * interleaving, the rows end as the last change left them. No clocks are compared.
 *
 * Held is a window: every row with an id from `before` upwards (all rows, when `before` is null).
 */
export class Timeline {
  #rows = new Map();    // by msg_id
  #question = null;     // the page being asked for, with the changes heard since
  before = undefined;   // where older pages go on; null: there are none; undefined: no page yet

  /** Oldest first. Ids are given out in order, so this is the order in which the messages were written. */
  rows() {
    return [...this.#rows.values()].sort((a, b) => a.id - b.id);
  }

  row(msgId) {
    return this.#rows.get(msgId);
  }

  /** Applies one change: {type: INSERT|UPDATE|DELETE, row}. */
  apply(change) {
    this.#question?.changes.push(change);
    this.#put(change);
  }

  /** Begins to ask for the newest page. Any page being asked for is given up: its answer will be ignored. */
  askNewest() {
    return (this.#question = { before: null, changes: [] });
  }

  /** Begins to ask for the page before the held ones; null when there is none, or a page is being asked for already. */
  askOlder() {
    if (this.#question || this.before == null) return null;
    return (this.#question = { before: this.before, changes: [] });
  }

  /** Takes the server's answer, {messages, before}. False when the question was given up. */
  answer(question, page) {
    if (question !== this.#question) return false;
    this.#question = null;
    if (question.before === null) this.#rows.clear();
    this.before = page.before === null ? null : Number(page.before);
    for (const row of page.messages) this.#hold(row);
    for (const change of question.changes) this.#put(change);
    return true;
  }

  /** There will be no answer. False when the question was given up before. */
  giveUp(question) {
    if (question !== this.#question) return false;
    this.#question = null;
    return true;
  }

  #put({ type, row }) {
    if (type === 'DELETE') this.#rows.delete(row.msg_id);
    else if (this.#rows.has(row.msg_id) || this.#inWindow(row)) this.#hold(row);
  }

  #hold(row) {
    this.#rows.set(row.msg_id, { ...row, id: Number(row.id) });
  }

  #inWindow(row) {
    return this.before === null || Number(row.id) >= this.before;
  }
}
