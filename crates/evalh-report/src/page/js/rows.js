// The list of items. Only what is in sight, and a little around it, is in the document.

const ROW = 46;
const AROUND = 8;

let listed = [];
let cursor = 0;
const nodes = new Map();

// What a screen reader tells of a row.
function label(row) {
  const parts = index.variants.map((variant, place) => {
    const answers = index.answers[place];
    if (answers.count[row] === 0) return `${variant.name} no answer`;
    const score = answers.score[row];
    const flip = answers.flip[row] > 0 ? ', won' : answers.flip[row] < 0 ? ', lost' : '';
    return `${variant.name} ${scoreKind(score) === 'other' ? scoreText(score) : scoreKind(score)}${flip}`;
  });
  return visible(`${index.item[row]}: ${parts.join('; ')}`);
}

function rowNode(place) {
  const row = listed[place];
  const task = index.taskName(row);
  const where = task === index.suiteName(row) ? task : `${index.suiteName(row)} \u00b7 ${task}`;
  const node = el('div', {
    id: `row-${place}`,
    role: 'option',
    class: 'row',
    'aria-label': label(row),
    'aria-setsize': listed.length,
    'aria-posinset': place + 1,
    onclick: () => openPlace(place),
  },
  el('span', { class: 'what' },
    el('span', { class: 'item' }, el('bdi', {}, visible(index.item[row]))),
    el('span', { class: 'snippet' }, visible(index.snippet[row] || where))),
  index.variants.map((_, variant) => {
    const answers = index.answers[variant];
    return el('span', { class: 'cell' },
      answers.count[row] > 0 ? [flipMark(answers.flip[row]), mark(answers.score[row])] : '\u2013');
  }));
  node.style.top = `${place * ROW}px`;
  return node;
}

// Puts the rows in sight into the document and takes the others out.
function drawRows() {
  const box = $('rows');
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - AROUND);
  const last = Math.min(listed.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + AROUND);
  for (const [place, node] of nodes) {
    if (place < first || place >= last) {
      node.remove();
      nodes.delete(place);
    }
  }
  for (let place = first; place < last; place += 1) {
    if (!nodes.has(place)) {
      const node = rowNode(place);
      nodes.set(place, node);
      $('runway').append(node);
    }
    const node = nodes.get(place);
    node.setAttribute('aria-selected', place === cursor);
    node.classList.toggle('open', index.item[listed[place]] === state.item && index.suiteName(listed[place]) === state.of);
  }
  if (nodes.has(cursor)) box.setAttribute('aria-activedescendant', `row-${cursor}`);
  else box.removeAttribute('aria-activedescendant');
}

// Shows these rows; the cursor stays on its item where that is still listed.
function listRows(rows) {
  const at = listed[cursor];
  listed = rows;
  cursor = Math.max(0, rows.indexOf(at));
  for (const node of nodes.values()) node.remove();
  nodes.clear();
  $('runway').style.height = `${rows.length * ROW}px`;
  drawRows();
}

function showCursor() {
  const box = $('rows');
  const top = cursor * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
  drawRows();
}

// Moves the cursor; an open sample goes with it.
function moveTo(place) {
  if (listed.length === 0) return;
  cursor = Math.min(listed.length - 1, Math.max(0, place));
  if (state.item) openPlace(cursor, false);
  showCursor();
}

function drawColumns() {
  $('samples').style.setProperty('--variants', index.variants.length);
  $('samples').classList.toggle('many', index.variants.length > 3);
  $('samples').classList.toggle('crowd', index.variants.length > 6);
  $('columns').replaceChildren(
    el('span', {}, 'Item'),
    ...index.variants.map((variant, place) => el('span', { class: 'cell', title: visible(variant.name) },
      variantKey(place), el('span', { class: 'name' }, ' ', visible(variant.name)))),
  );
}
