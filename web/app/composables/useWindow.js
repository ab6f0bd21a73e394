import { Heights } from '~/lib/heights.js';

const GUESS_PX = 64;                     // a message that was never drawn
const MARGIN_PX = 600;                   // drawn above and below what is seen
const WHOLE_MAX = 200;                   // a list up to here is drawn whole: the browser can find in it
const NEAR_PX = 80;                      // so close to the end counts as there

/**
 * Draws, of a long list, only what is near the reader, and keeps the reader in their place: at the end, or at the line they
 * look at. The scrolling `box` contains the `list`, whose children have a data-id. `items()` are all, each with an id;
 * `pinned()` the ids of those that stay drawn wherever they are, as they have the focus. `atEnd` is a ref.
 */
export function useWindow({ box, list, items, pinned, atEnd }) {
  const heights = new Heights(GUESS_PX);
  const range = shallowRef({ from: 0, to: 0 });
  let place = { id: '', offset: 0 };     // the first item seen, and how far below the box's edge it begins

  /** What is drawn: each item with the room (px) of those that are not drawn in front of it, `gap`, and of all behind it, `below`. */
  const drawn = computed(() => {
    const { from, to } = range.value, all = items();
    const indexes = new Set(pinned().map((id) => heights.indexOf(id)).filter((i) => i >= 0));
    for (let i = from; i < to; i++) indexes.add(i);
    let bottom = 0;
    return [...indexes].sort((a, b) => a - b).map((i) => {
      const gap = heights.top(i) - bottom;
      bottom = heights.top(i + 1);
      return { item: all[i], gap, below: heights.top(all.length) - bottom };
    });
  });

  const seenFrom = () => box.value.scrollTop - list.value.offsetTop;
  const wantedFrom = () =>
    atEnd.value ? heights.top(heights.ids.length) - box.value.clientHeight : heights.top(heights.indexOf(place.id)) - place.offset;

  function drawFrom(y) {
    const count = heights.ids.length, whole = count <= WHOLE_MAX;
    const from = whole ? 0 : heights.at(y - MARGIN_PX), to = whole ? count : heights.at(y + box.value.clientHeight + MARGIN_PX) + 1;
    if (from !== range.value.from || to !== range.value.to) range.value = { from, to };
  }

  /** The reader scrolled. */
  function look() {
    const { scrollTop, scrollHeight, clientHeight } = box.value;
    atEnd.value = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    const y = seenFrom(), i = heights.at(y);
    place = { id: heights.ids[i], offset: heights.top(i) - y };
    drawFrom(y);
  }

  watch(items, (now) => {
    const ids = now.map(({ id }) => id);
    place = heights.placeAmong(ids, place, box.value.clientHeight);
    heights.arrange(ids);
    if (now.length) drawFrom(wantedFrom());
    else range.value = { from: 0, to: 0 };
  });

  /** Everything is drawn: now its heights are known, and where the reader's place is. */
  function settle() {
    for (const item of list.value.children) heights.measure(item.dataset.id, item.getBoundingClientRect().height);
    if (!heights.ids.length) return;
    const top = atEnd.value ? box.value.scrollHeight - box.value.clientHeight : list.value.offsetTop + wantedFrom();
    if (Math.abs(box.value.scrollTop - top) > 0.5) box.value.scrollTop = top;
    drawFrom(seenFrom());
  }
  watch(drawn, settle, { flush: 'post' });

  function toEnd() {
    atEnd.value = true;
    settle();
  }

  // The composer grows, a message is opened for editing, a keyboard comes up, a window is made narrower.
  let width = 0;
  onMounted(() => {
    const observer = new ResizeObserver(() => {
      if (box.value.clientWidth !== width) {
        width = box.value.clientWidth;
        heights.forget();
        range.value = { ...range.value };
      }
      settle();
    });
    observer.observe(box.value);
    observer.observe(list.value);
    onBeforeUnmount(() => observer.disconnect());
  });

  return {
    drawn,
    look,
    toEnd,
    firstSeen: () => place.id,
    lastSeen: () => heights.ids[heights.at(seenFrom() + box.value.clientHeight - 1)],
  };
}
