// The row of filters: their choices with what each would leave.

const SELECTS = ['suite', 'task', 'variant', 'outcome', 'flip', 'score'];

// All choices of a filter, in their order.
function choices(name) {
  if (name === 'suite') return index.suites.map((suite) => suite.name);
  if (name === 'task') {
    const suites = index.suites.filter((suite) => !state.suite || suite.name === state.suite);
    return [...new Set(suites.flatMap((suite) => suite.tasks))];
  }
  if (name === 'variant') return index.variants.map((variant) => variant.name);
  if (name === 'outcome') return index.outcomes;
  if (name === 'flip') return index.variants.some((variant) => variant.base !== null) ? Object.keys(FLIPS) : [];
  return ['right', 'wrong', 'other'];
}

// A filter is shown where there is something to choose, or something chosen.
function isUseful(name, found) {
  const some = name === 'score' || name === 'flip' || name === 'outcome' ? 1 : 2;
  return state[name] !== '' || found.length >= some;
}

// A choice as it is read: variants after the number that their column has.
function numbered(name, value) {
  const place = name === 'variant' ? index.variants.findIndex((variant) => variant.name === value) : -1;
  return place < 0 ? visible(value) : `${place + 1} \u00b7 ${visible(value)}`;
}

function showFilters() {
  for (const name of SELECTS) {
    const select = $(`filter-${name}`);
    let found = choices(name);
    select.parentElement.hidden = !isUseful(name, found);
    if (select.parentElement.hidden) continue;
    const left = counts(name);
    if (name === 'score') found = found.filter((value) => left.has(value) || value === state.score);
    // What an address asks for is shown, be it known or not.
    if (state[name] && !found.includes(state[name])) found = [...found, state[name]];
    select.replaceChildren(
      el('option', { value: '' }, 'any'),
      ...found.map((value) => el('option', { value }, `${numbered(name, value)} (${thousands(left.get(value) ?? 0)})`)),
    );
    select.value = state[name];
    select.parentElement.classList.toggle('chosen', state[name] !== '');
  }
  if (document.activeElement !== $('q')) $('q').value = state.q;
  $('clear').disabled = FILTERS.every((name) => state[name] === '');
}

function showStatus(rows) {
  const all = index.length;
  const shown = rows.length === all ? counted(all, 'item') : `${thousands(rows.length)} of ${counted(all, 'item')}`;
  const searching = share < 1 ? `, searching the texts: ${Math.floor(share * 100)} %` : '';
  $('status').textContent = shown + searching;
}
