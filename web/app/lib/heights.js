/**
 * Where each item of a long list stands, though only a few of them are drawn: `tops` of their heights as they were measured,
 * or as a guess. Arranging and summing up take a walk over the list (50,000 items: a few ms, below one), all else no time.
 */
export class Heights {
  #guess;
  #measured = new Map();                 // px by id
  #ids = [];
  #index = new Map();                    // by id
  #heights = new Float64Array(0);
  #tops = new Float64Array(1);
  #firstStale = 0;                       // tops behind this one are to be summed up again

  constructor(guess) {
    this.#guess = guess;
  }

  /** Takes the items, in their order. */
  arrange(ids) {
    this.#ids = ids;
    this.#index = new Map(ids.map((id, i) => [id, i]));
    this.#heights = Float64Array.from(ids, (id) => this.#measured.get(id) ?? this.#guess);
    this.#tops = new Float64Array(ids.length + 1);
    this.#firstStale = 0;
  }

  /**
   * Where a `place`, {id, offset}, is to be once `ids` are arranged. If its item is none of them, the next one that is left stays
   * where it is or, when that was further down than what is `seen` (px), takes the place.
   */
  placeAmong(ids, place, seen) {
    if (ids.includes(place.id)) return place;
    const left = new Set(ids), first = Math.max(0, this.indexOf(place.id));
    const below = this.#ids.findIndex((id, i) => i > first && left.has(id));
    const next = below < 0 ? this.#ids.findLastIndex((id, i) => i < first && left.has(id)) : below;
    if (next < 0) return { id: ids[0], offset: 0 };
    const offset = place.offset + this.top(next) - this.top(first);
    return { id: this.#ids[next], offset: Math.abs(offset) < seen ? offset : 0 };
  }

  get ids() {
    return this.#ids;
  }

  indexOf(id) {
    return this.#index.get(id) ?? -1;
  }

  /** True when that changed something. */
  measure(id, px) {
    const i = this.indexOf(id);
    if (i < 0 || this.#measured.get(id) === px) return false;
    this.#measured.set(id, px);
    this.#heights[i] = px;
    this.#firstStale = Math.min(this.#firstStale, i);
    return true;
  }

  /** Everything is as high as a guess again: the list has another width. */
  forget() {
    this.#measured.clear();
    this.arrange(this.#ids);
  }

  /** The upper edge of the item at `index`; for one behind the last, the height of all. */
  top(index) {
    this.#sum();
    return this.#tops[index];
  }

  /** The index of the item at this height: the first above the list, the last below. */
  at(y) {
    this.#sum();
    let low = 0, high = this.#ids.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #sum() {
    for (let i = this.#firstStale; i < this.#heights.length; i++) this.#tops[i + 1] = this.#tops[i] + this.#heights[i];
    this.#firstStale = this.#heights.length;
  }
}
