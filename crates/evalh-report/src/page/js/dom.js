// Elements. Whatever is put into one becomes text or an attribute, never mark-up.

const $ = (id) => document.getElementById(id);

// An element with attributes (`onclick` and its like: listeners) and children; absent ones are left out.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  const present = children.flat().filter((child) => child !== undefined && child !== null && child !== false);
  node.append(...present);
  return node;
}

// A word that only screen readers tell.
const hiddenText = (text) => el('span', { class: 'visually-hidden' }, text);

// A variant's number: what its column is called where there is no room for its name.
const variantKey = (place) => el('span', { class: 'key', 'aria-hidden': true }, String(place + 1));

// Right, wrong or another score, as a sign with its word.
function mark(score) {
  const [kind, sign, word] = score === 1 ? ['good', '\u2713', 'right']
    : score === 0 ? ['bad', '\u2717', 'wrong']
    : ['open', scoreText(score), ''];
  return el('span', { class: `mark ${kind}`, title: word || 'score' },
    el('span', { 'aria-hidden': word !== '' }, sign), word && hiddenText(word));
}

// Won or lost against the base, as a sign with its word.
function flipMark(flip) {
  if (!flip) return null;
  const [kind, sign, word] = flip > 0 ? ['good', '\u25b2', 'won'] : ['bad', '\u25bc', 'lost'];
  return el('span', { class: `flip ${kind}`, title: `${word} against the base` },
    el('span', { 'aria-hidden': true }, sign), hiddenText(` ${word}`));
}
