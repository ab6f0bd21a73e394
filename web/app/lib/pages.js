const PAGE = 50;
const LARGE_PAGE = 200;                  // the most the server gives at once
const PAGES_MAX = 25;                    // asked for to bring a reader back to where they were

/** Pages of a room's messages, {messages, before}, as `getJson(path)` fetches them; `before` is null on the last one. */
export function makePages(getJson, room) {
  const pageBefore = (before, limit = PAGE) =>
    getJson(`/api/messages?${new URLSearchParams({ room, limit, ...(before !== null && { before }) })}`);

  /** The newest messages down to the row `id`, as one page, so that whoever reads there can stay: as many as that takes. */
  async function newestDownTo(id) {
    const page = await pageBefore(null);
    for (let pages = 1; page.before !== null && id < page.before && pages < PAGES_MAX; pages++) {
      const older = await pageBefore(page.before, LARGE_PAGE);
      page.messages.unshift(...older.messages);
      page.before = older.before;
    }
    return page;
  }

  return { pageBefore, newestDownTo };
}
