import { makePages } from '~/lib/pages.js';
import { Timeline } from '~/lib/timeline.js';

const ROOM = 'main';
const RETRY_MS = 2000;

/**
 * Reading: the table's rows, kept equal to it by the changes on `incoming-chat`. `onChange(change)` hears of each; `onPage()`
 * is called as a page is asked for, and what that gives once the page is there. `reading()` is the id of the message that the
 * reader looks at, '' at the end.
 */
export function useMessages({ client, getJson }, { onChange, onPage, reading }) {
  const timeline = new Timeline();
  const { pageBefore, newestDownTo } = makePages(getJson, ROOM);
  const state = reactive({
    isLoaded: false,
    hasOlder: false,
    loadingOlder: false,
    trouble: '',                         // what is wrong now
    notice: '',                          // what the reader should know, until they say so
  });
  const incoming = client.channels.get('incoming-chat', { modes: ['SUBSCRIBE'] });

  incoming.subscribe(({ data }) => {
    const change = JSON.parse(data);
    if (change.table !== 'chat_data' || change.row.room !== ROOM) return;
    timeline.apply(change);
    onChange(change);
  });
  // Whenever the channel is attached anew and changes may have been missed, the newest page is asked for: after the attachment,
  // so that whatever the page does not hold yet will be heard.
  incoming.on(['attached', 'update'], ({ resumed }) => resumed || loadNewest());
  incoming.on('failed', ({ reason }) => {
    state.trouble = `The conversation cannot be followed: ${reason?.message ?? 'unknown reason'}`;
  });

  const loadNewest = () => ask(timeline.askNewest(), 'The messages', async () => {
    const settled = onPage();
    const place = state.isLoaded && timeline.row(reading())?.id;
    const page = await newestDownTo(place || Infinity);
    return [page, () => {
      settled();
      if (state.isLoaded) state.notice = noticeOf(page, place);
      state.isLoaded = true;
    }];
  }, loadNewest);

  async function loadOlder() {
    const question = timeline.askOlder();
    if (!question) return;
    state.loadingOlder = true;
    await ask(question, 'Earlier messages', async () => [await pageBefore(question.before), () => {}], loadOlder);
    state.loadingOlder = false;
  }

  /** Takes the answer to a question; when there is none, says so and asks `again`. */
  async function ask(question, what, load, again) {
    try {
      const [page, then] = await load();
      if (!timeline.answer(question, page)) return;
      state.trouble = '';
      state.hasOlder = timeline.before != null;
      then();
      onChange(null);
    } catch (error) {
      if (!timeline.giveUp(question)) return;
      state.trouble = `${what} could not be loaded (${error.message}). Trying again…`;
      setTimeout(again, RETRY_MS);
    }
  }

  return { timeline, state, loadOlder };
}

function noticeOf({ before }, place) {
  const lost = place && before !== null && place < before;
  return `The connection was away for too long to hear every change: the messages were loaded again.${
    lost ? ' What you were reading is further up now.' : ''}`;
}
