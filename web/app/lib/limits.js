import { isBlank } from './blank.js';

// What the server takes (src/functions/chat_command.hpp). The page says so before it sends.
const NAME_CHARACTERS_MAX = 100;
const TEXT_BYTES_MAX = 32 * 1024;

const numbers = new Intl.NumberFormat();
const utf8 = new TextEncoder();

/** What is wrong with a name, as a sentence; '' when nothing is. */
export function nameTrouble(name) {
  if (cannotBeSeen(name)) return 'Nothing of this name can be seen.';
  const characters = [...name].length;
  if (characters <= NAME_CHARACTERS_MAX) return '';
  return `This name is too long: ${numbers.format(characters)} of at most ${NAME_CHARACTERS_MAX} characters.`;
}

/** What is wrong with the text of a message, as a sentence; '' when nothing is. */
export function textTrouble(text) {
  if (cannotBeSeen(text)) return 'Nothing of this text can be seen.';
  if (text.length * 3 <= TEXT_BYTES_MAX) return '';
  const bytes = utf8.encode(text).length;
  if (bytes <= TEXT_BYTES_MAX) return '';
  return `This text is too long: ${numbers.format(bytes)} of at most ${numbers.format(TEXT_BYTES_MAX)} bytes.`;
}

/** Something was typed, but neither spaces, which nobody means to send, nor anything to see. */
const cannotBeSeen = (text) => text.trim() !== '' && isBlank(text);
