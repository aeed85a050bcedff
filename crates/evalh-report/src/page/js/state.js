// What is looked at: the view, the filters, the open sample, the theme. It stands in the address after `#`, so it can be
// sent to somebody, and Back goes back.

const FILTERS = ['suite', 'task', 'variant', 'outcome', 'flip', 'score', 'q'];
const NAMES = ['view', ...FILTERS, 'of', 'item', 'sample', 'against', 'theme'];

let state = {};

function readState(hash) {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  return Object.fromEntries(NAMES.map((name) => [name, params.get(name) ?? '']));
}

function hashOf(some) {
  const params = new URLSearchParams();
  for (const name of NAMES) if (some[name]) params.set(name, some[name]);
  return `#${params}`;
}

// Writes the state into the address; as a step that Back undoes, or in place.
function writeState(step) {
  const hash = hashOf(state);
  if (hash === location.hash || (hash === '#' && location.hash === '')) return;
  if (step) history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
}
