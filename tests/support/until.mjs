/** Polls until `condition` gives something true, and gives that. Throws when it did not in time, with the last error it met. */
export async function until(condition, what = 'the condition', timeoutMs = 15_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let error = null;
    const value = await Promise.resolve().then(condition).catch((caught) => void (error = caught));
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: error ?? undefined });
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

/** The promise, or an error when it takes too long: a test that hangs says nothing. */
export function within(promise, what, timeoutMs = 15_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
