import { dayOf } from '~/lib/times.js';

/** A moment of the present day, renewed at midnight: for texts that say Today. */
export function useToday() {
  const now = ref(Date.now());
  let timer;
  const wait = () => (timer = setTimeout(() => {
    now.value = Date.now();
    wait();
  }, dayOf(Date.now()).ends - Date.now() + 1000));
  wait();
  onScopeDispose(() => clearTimeout(timer));
  return now;
}
