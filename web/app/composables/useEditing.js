import { KeptMap } from '~/lib/storage.js';

/**
 * The message being edited: {id, message, base, text}, or null. `base` is the text that the edit began with. What was written
 * and not saved is kept by this browser, message by message, until it is saved or cancelled.
 */
export function useEditing() {
  const drafts = new KeptMap('edit:');
  const kept = reactive(new Map(drafts.entries()));  // {base, text} by message id
  const current = shallowRef(null);

  function open(message) {
    const { base, text } = kept.get(message.id) ?? { base: message.text, text: message.text };
    current.value = { id: message.id, message, base, text };
  }

  function write(text) {
    const { id, base } = current.value;
    current.value.text = text;
    if (text === base) return forget(id);
    kept.set(id, { base, text });
    drafts.set(id, { base, text });
  }

  function forget(id) {
    kept.delete(id);
    drafts.delete(id);
  }

  /** Ends the edit; what was written is no draft any more. */
  function close() {
    if (current.value) forget(current.value.id);
    current.value = null;
  }

  return { current, kept, open, write, close };
}
