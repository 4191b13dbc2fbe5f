// The words of the page's language, which the server wrote into it.

const words = JSON.parse(document.body.dataset.words);

export const language = document.documentElement.lang;

// What stands in braces is filled in.
export function say(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (braces, name) => values[name] ?? braces);
}
