// The keyboard.

const inSamples = (act) => () => (state.view === 'samples' ? act() : false);

const KEYS = {
  '/': () => {
    go({ view: 'samples' }, true);
    $('q').focus();
    $('q').select();
  },
  j: inSamples(() => moveTo(cursor + 1)),
  k: inSamples(() => moveTo(cursor - 1)),
  d: inSamples(nextComparison),
  s: () => {
    go({ view: 'samples' }, true);
    $('rows').focus();
  },
  r: () => go({ view: '' }, true),
  t: nextTheme,
  '?': () => $('help').showModal(),
};

// Keys that move within the list while it has the focus.
const LIST_KEYS = {
  ArrowDown: () => moveTo(cursor + 1),
  ArrowUp: () => moveTo(cursor - 1),
  PageDown: () => moveTo(cursor + Math.floor($('rows').clientHeight / ROW)),
  PageUp: () => moveTo(cursor - Math.floor($('rows').clientHeight / ROW)),
  Home: () => moveTo(0),
  End: () => moveTo(listed.length - 1),
  Enter: () => {
    if (listed.length === 0) return;
    openPlace(cursor);
    $('sample').focus();
  },
};

function escape() {
  if (document.activeElement === $('q')) $('rows').focus();
  else if (state.view === 'samples' && state.item) closeSample();
  else return false;
  return true;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $('help').open) return;
  const at = event.target;
  let act;
  if (event.key === 'Escape') act = escape;
  else if (at === $('q')) act = event.key === 'ArrowDown' || event.key === 'Enter' ? () => $('rows').focus() : undefined;
  else if (at.closest('input, select, textarea')) act = undefined;
  else act = (at === $('rows') ? LIST_KEYS[event.key] : undefined) ?? KEYS[event.key];
  if (act && index && act() !== false) event.preventDefault();
}
