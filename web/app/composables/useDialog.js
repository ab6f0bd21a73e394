/** A <dialog> that is open as long as `subject()` is there. Give the returned ref to the element. */
export function useDialog(subject) {
  const dialog = ref(null);
  watch(subject, (value) => (value ? dialog.value.showModal() : dialog.value.close()), { flush: 'post' });
  return dialog;
}
