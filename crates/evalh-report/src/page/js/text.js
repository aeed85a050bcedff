// Foreign text as it is: what would hide or reorder it is made visible, as `shown` of foreign.rs does.

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function visible(text) {
  return text.replace(HIDDEN, (c) => `\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u203a`);
}

function thousands(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function counted(count, noun) {
  return `${thousands(count)} ${noun}${count === 1 ? '' : 's'}`;
}

// A number with so many decimals and a true minus sign.
function decimals(value, places) {
  return value.toFixed(places).replace('-', '\u2212');
}

// A score: whole where it is, else with three decimals.
function scoreText(score) {
  return Number.isInteger(score) ? decimals(score, 0) : decimals(score, 3);
}
