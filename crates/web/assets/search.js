// Search in texts: without case and accents, words in any order. The server does the same (search.rs).

// Letters that have no decomposition, as people type them without the letter on their keyboard.
const spelled = { "ı": "i", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th" };
// Letters that German spells with a following e.
const withE = { "ä": "ae", "ö": "oe", "ø": "oe", "ü": "ue", "å": "aa" };

export function fold(text) {
  return text.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "").replace(/[ıßøłđðħæœþ]/g, (letter) => spelled[letter]);
}

export function haystack(text) {
  const composed = text.normalize("NFC").toLowerCase();
  const german = composed.replace(/[äöøüå]/g, (letter) => withE[letter]);
  return german === composed ? fold(text) : `${fold(text)}\n${fold(german)}`;
}

export function words(text) {
  return fold(text).split(/\s+/).filter(Boolean);
}
