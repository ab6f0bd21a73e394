const unkept = new Map();                // what the browser did not take: kept as long as the page

/** Texts that this browser keeps, for all tabs of the page. One that keeps nothing makes the page forget them when it is closed. */
export function recall(key) {
  try {
    return unkept.get(key) ?? localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a text; without one, forgets what was kept. */
export function keep(key, text) {
  unkept.delete(key);
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    if (text) unkept.set(key, text);     // full, or forbidden
  }
}

/** Objects by id, as a Map keeps them, each under its own key: tabs that write at once do not overwrite each other. */
export class KeptMap {
  #prefix;

  constructor(prefix) {
    this.#prefix = prefix;
  }

  set(id, value) {
    keep(this.#prefix + id, JSON.stringify(value));
  }

  delete(id) {
    keep(this.#prefix + id, '');
  }

  entries() {
    return keys()
      .filter((key) => key.startsWith(this.#prefix))
      .map((key) => [key.slice(this.#prefix.length), parsed(recall(key))])
      .filter(([, value]) => value);
  }
}

function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
