import { keep, recall } from '~/lib/storage.js';

/** A text that outlives the page: this browser keeps it under `key`, and every tab of the page has the same. */
export function useKept(key) {
  const text = ref(recall(key) ?? '');
  watch(text, (value) => value !== (recall(key) ?? '') && keep(key, value));
  const follow = (event) => {
    if (event.key === key) text.value = event.newValue ?? '';
  };
  window.addEventListener('storage', follow);  // another tab wrote
  onScopeDispose(() => window.removeEventListener('storage', follow));
  return text;
}
