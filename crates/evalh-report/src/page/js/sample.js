// The open sample: what was asked, and what every variant answered, side by side.

// What completions can be compared with: [value in the address, name, text of an item].
function comparables(texts) {
  const found = [];
  if (texts.reference !== undefined) found.push(['reference', 'the reference', texts.reference]);
  index.variants.forEach((variant, place) => {
    const text = chosen(texts.answers[place])?.text;
    if (text !== undefined) found.push([`variant:${variant.name}`, visible(variant.name), text]);
  });
  return found;
}

// The answer that is shown of a variant's.
function chosen(answers) {
  return answers[Math.min(Number(state.sample) || 0, answers.length - 1)];
}

function comparisonChoice(found) {
  if (found.length < 2) return null;
  const select = el('select', { id: 'against', onchange: (event) => go({ against: event.target.value }) },
    el('option', { value: '' }, 'nothing'),
    found.map(([value, name]) => el('option', { value }, name)));
  select.value = found.some(([value]) => value === state.against) ? state.against : '';
  return el('label', {}, el('span', {}, 'Lines against'), select);
}

function sampleChoice(texts) {
  const most = Math.max(...texts.answers.map((answers) => answers.length));
  if (most < 2) return null;
  const select = el('select', { id: 'which', onchange: (event) => go({ sample: event.target.value }) },
    Array.from({ length: most }, (_, place) => el('option', { value: place || '' }, `${place + 1} of ${most}`)));
  select.value = state.sample;
  return el('label', {}, el('span', {}, 'Answer'), select);
}

function sampleHead(row) {
  const task = index.taskName(row);
  const suite = index.suites[index.suite[row]];
  const place = listed.indexOf(row);
  const button = (text, name, to, off) => el('button', { type: 'button', 'aria-label': name, title: name, disabled: off, onclick: to }, text);
  return el('header', { class: 'sample-head' },
    el('div', {},
      el('h3', { id: 'sample-title' }, el('bdi', {}, visible(index.item[row]))),
      el('p', { class: 'note' }, [suite.name, task === suite.name ? '' : task, suite.protocol].filter((part) => part).map(visible).join(' \u00b7 '))),
    el('div', { class: 'buttons' },
      button('\u2190', 'Previous item (k)', () => moveTo(cursor - 1), place <= 0),
      button('\u2192', 'Next item (j)', () => moveTo(cursor + 1), place < 0 || place === listed.length - 1),
      button('\u2715', 'Close (Esc)', closeSample, false)));
}

function sampleBody(row, texts) {
  const found = comparables(texts);
  const answers = texts.answers.map(chosen);
  return [
    promptSection(texts),
    texts.reference !== undefined && el('section', { 'aria-label': 'Reference' },
      el('details', { open: texts.reference.length < 60 }, el('summary', {}, 'Reference'), passage(texts.reference, 'Reference'))),
    logprobTable(texts, answers),
    el('section', { 'aria-label': 'Answers' },
      el('div', { class: 'tools' }, el('h3', {}, 'Answers'), sampleChoice(texts), comparisonChoice(found)),
      el('div', { class: 'answers' }, answers.map((answer, place) => {
        const other = found.find(([value]) => value === state.against && value !== `variant:${index.variants[place].name}`);
        return answerCard(place, row, answer, other?.[2]);
      }))),
  ];
}

// Shows the open sample, or takes it away.
async function showSample() {
  const article = $('sample');
  const row = state.item ? rowOf(state.of, state.item) : undefined;
  const isOpen = state.item !== '';
  $('samples').classList.toggle('reading', isOpen);
  article.hidden = !isOpen;
  if (!isOpen) {
    article.replaceChildren();
    return;
  }
  if (row === undefined) {
    article.replaceChildren(el('p', { class: 'note' }, 'This page holds no such item: ', el('code', {}, visible(state.item))));
    return;
  }
  const wanted = hashOf(state);
  const texts = await textsOf(row);
  if (wanted !== hashOf(state)) return;
  const isNew = article.dataset.row !== String(row);
  article.dataset.row = row;
  article.setAttribute('aria-label', `Sample ${visible(index.item[row])}`);
  article.replaceChildren(sampleHead(row), ...sampleBody(row, texts).filter((part) => part));
  if (isNew) article.scrollTop = 0;
}

// Opens the row at a place of the list; as a step that Back undoes only from the list.
function openPlace(place, step = state.item === '') {
  cursor = place;
  const row = listed[place];
  go({ of: index.suiteName(row), item: index.item[row], sample: '' }, step);
}

function closeSample() {
  go({ of: '', item: '', sample: '' }, true);
  $('rows').focus();
}

// The next thing to compare with, round and round.
async function nextComparison() {
  const select = $('against');
  if (!select) return;
  select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
  go({ against: select.value });
}
