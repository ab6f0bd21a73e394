const FRAME_MS = 17;
const REST = 2;                          // times as long as the last picture took to draw

/**
 * Makes `draw` into something to call as often as one likes: it runs once before the next picture. After one that took long
 * it leaves time for what else there is to do, such as to read the rest of a burst.
 */
export function onceAFrame(draw) {
  let asked = false, rested = 0;         // when the next picture may be drawn

  function run() {
    asked = false;
    const began = performance.now();
    draw();
    queueMicrotask(() => (rested = performance.now() + REST * (performance.now() - began)));  // Vue has drawn by then
  }
  // A hidden page has no pictures, and must not fall behind.
  const next = () => (document.hidden ? setTimeout(run) : requestAnimationFrame(run));

  return () => {
    if (asked) return;
    asked = true;
    const wait = rested - performance.now();
    if (wait > FRAME_MS) setTimeout(next, wait);
    else next();
  };
}
