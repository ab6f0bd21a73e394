/**
 * One tab stop for a whole list: arrow keys go through its items, and only the item reached has buttons that Tab stops at.
 * `active` is its id.
 */
export function useArrows({ list, items, lastSeen }) {
  const active = ref('');

  async function onKeydown(event) {
    const step = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || event.target.closest('textarea') || !items().length) return;
    event.preventDefault();
    const inside = list.value.contains(event.target);
    const at = items().findIndex(({ id }) => id === (inside ? active.value : lastSeen()));
    const next = inside || Math.abs(step) > 1 ? at + step : at;
    active.value = items()[Math.min(Math.max(next, 0), items().length - 1)].id;
    await nextTick();
    list.value.querySelector(`[data-id="${CSS.escape(active.value)}"]`).focus();
  }

  function onFocusin({ target }) {
    const item = target.closest('[data-id]');
    if (item) active.value = item.dataset.id;
  }

  return { active, onKeydown, onFocusin };
}
