/** Closes what lies over the page, `isOpen`, on Escape and on a press beside its `parts` (elements, or functions giving them). */
export function useDismiss(isOpen, ...parts) {
  const onPress = ({ target }) => {
    if (!parts.some((part) => toValue(part)?.contains(target))) isOpen.value = false;
  };
  const onKey = ({ key }) => {
    if (key !== 'Escape') return;
    isOpen.value = false;
    toValue(parts[0])?.focus();
  };
  const listen = (way) => {
    document[way]('pointerdown', onPress);
    document[way]('keydown', onKey);
  };
  watch(isOpen, (open) => listen(open ? 'addEventListener' : 'removeEventListener'));
  onScopeDispose(() => listen('removeEventListener'));
}
