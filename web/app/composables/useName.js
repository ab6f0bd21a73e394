/** The reader's name, remembered by this browser. */
export function useName() {
  const name = ref(remembered());
  watch(name, (value) => {
    try {
      localStorage.setItem('name', value);
    } catch {
      // A browser that keeps nothing asks again next time.
    }
  });
  return name;
}

function remembered() {
  try {
    return localStorage.getItem('name') ?? '';
  } catch {
    return '';
  }
}
