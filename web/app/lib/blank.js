/**
 * Characters that show nothing by themselves: white space, format characters, what Unicode has a display ignore, marks without a letter
 * to stand on, and some symbols that are drawn empty (Braille without dots, the note head and the hieroglyphs without ink, the place of
 * an embedded object). Other control characters are drawn as boxes (CSS Text 3, 3.1). The server refuses the same:
 * scripts/blank-table.mjs makes its table of this.
 */
export const BLANK =
  /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cf}\p{M}\u2800\ufffc\u{13441}\u{13442}\u{1d159}]/u;

const ONLY_BLANK = new RegExp(`^${BLANK.source}*$`, 'u');

/** Nothing in it can be seen. */
export function isBlank(text) {
  return ONLY_BLANK.test(text);
}

/** What somebody wrote into a field, without the spaces around it; '' when there is nothing to see. */
export function visibleText(draft) {
  return isBlank(draft) ? '' : draft.trim();
}
