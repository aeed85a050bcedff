// From the address to what is seen, and back.

let reportScroll = 0;

// Changes the state and shows it.
function go(changes, step = false) {
  state = { ...state, ...changes };
  writeState(step);
  show();
}

function showView() {
  const samples = state.view === 'samples';
  const was = !$('samples').hidden;
  if (samples && !was) reportScroll = scrollY;
  document.documentElement.classList.toggle('in-samples', samples);
  $('samples').hidden = !samples;
  $('report').hidden = samples;
  for (const [link, isHere] of [['to-samples', samples], ['to-report', !samples]]) {
    if (isHere) $(link).setAttribute('aria-current', 'page');
    else $(link).removeAttribute('aria-current');
  }
  if (!samples && was) {
    scrollTo(0, reportScroll);
    // What had the focus is out of sight.
    $('main').focus({ preventScroll: true });
  }
}

let filtered = '';

// Lists what passes, where a filter has changed.
function showRows() {
  const now = JSON.stringify(FILTERS.map((name) => state[name]));
  if (now === filtered) {
    drawRows();
    return;
  }
  filtered = now;
  search(refreshSoon);
  refresh();
}

function refresh() {
  const rows = passing();
  listRows(rows);
  showFilters();
  showStatus(rows);
  $('rows').setAttribute('aria-busy', share < 1);
}

let refreshing = 0;

// Lists again with the next frame, while a search goes on.
function refreshSoon() {
  cancelAnimationFrame(refreshing);
  refreshing = requestAnimationFrame(refresh);
}

// Puts the cursor on the open sample.
function followSample() {
  const place = state.item ? listed.indexOf(rowOf(state.of, state.item)) : -1;
  if (place >= 0 && place !== cursor) {
    cursor = place;
    showCursor();
  }
}

function show() {
  showTheme();
  showView();
  if (!index || state.view !== 'samples') return;
  showRows();
  followSample();
  drawRows();
  showSample();
}

// A link within the page: to a section, or to a state of the browser. The theme stays.
function onLink(event) {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  const hash = link.getAttribute('href');
  if (hash.includes('=')) {
    event.preventDefault();
    const to = readState(hash);
    // The way to the samples goes to where one was.
    if (link.id === 'to-samples') go({ view: 'samples' }, true);
    else if (link.id === 'to-report') go({ view: '' }, true);
    else go({ ...to, theme: state.theme }, true);
    if (state.view === 'samples') $('rows').focus();
  } else {
    event.preventDefault();
    const target = document.querySelector(hash);
    target?.scrollIntoView();
    target?.focus();
  }
}

function listen() {
  let waiting = 0;
  $('q').addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => go({ q: $('q').value.trim() }), 150);
  });
  $('filters').addEventListener('submit', (event) => event.preventDefault());
  for (const name of SELECTS) {
    $(`filter-${name}`).addEventListener('change', (event) => {
      const changes = { [name]: event.target.value };
      if (name === 'suite') changes.task = '';
      go(changes);
    });
  }
  $('clear').addEventListener('click', () => {
    $('q').value = '';
    go(Object.fromEntries(FILTERS.map((name) => [name, ''])));
  });
  $('rows').addEventListener('scroll', drawRows, { passive: true });
  $('theme').addEventListener('click', nextTheme);
  $('keys').addEventListener('click', () => $('help').showModal());
  document.addEventListener('click', onLink);
  document.addEventListener('keydown', onKey);
  addEventListener('resize', () => index && drawRows());
  addEventListener('popstate', () => {
    state = readState(location.hash);
    show();
  });
}

async function start() {
  state = readState(location.hash);
  show();
  listen();
  try {
    await loadIndex();
  } catch (error) {
    $('status').textContent = `The samples of this page cannot be read: ${error.message}. A browser of 2024 or later is needed.`;
    return;
  }
  drawColumns();
  show();
  performance.mark('samples-ready');
}

start();
