// Passages of text as they are shown: whole, or line by line against another; long ones in part until asked for.

const LONG = 20_000;

// A passage; its end stays out until it is asked for where it is long.
function passage(text, name) {
  const box = el('pre', { class: 'passage', tabindex: 0, role: 'group', 'aria-label': name });
  const whole = () => {
    box.textContent = visible(text);
  };
  if (text === '') {
    box.append(el('em', {}, 'empty'));
    return box;
  }
  if (text.length <= LONG) {
    whole();
    return box;
  }
  box.textContent = visible(text.slice(0, LONG));
  const rest = counted(text.length - LONG, 'more character');
  const more = el('button', { type: 'button', class: 'more', onclick: () => { whole(); more.remove(); } }, `Show ${rest}`);
  return el('div', {}, box, more);
}

// The lines of a text as a change of another.
function difference(from, to, name) {
  if (from.length + to.length > 10 * LONG) {
    return el('div', {}, el('p', { class: 'note' }, 'Too long to compare line by line.'), passage(to, name));
  }
  const lines = lineDiff(from, to);
  const box = el('pre', { class: 'passage diff', tabindex: 0, role: 'group', 'aria-label': name });
  if (lines.every(([sign]) => sign === ' ')) box.append(el('em', {}, 'the same, word for word\n'));
  for (const [sign, line] of lines) {
    const tag = sign === '+' ? 'ins' : sign === '-' ? 'del' : 'span';
    box.append(el(tag, { class: 'line' }, el('span', { class: 'sign' }, sign), `${visible(line)}\n`));
  }
  return box;
}

const WHO = { '': 'Prompt', first: 'First text', second: 'Second text' };

function passages(list) {
  return list.map(([who, text]) => el('div', { class: `turn ${who.split(' ')[0]}` },
    who && el('span', { class: 'who' }, WHO[who] ?? who), passage(text, WHO[who] ?? who)));
}

// What was asked: the beginning that all items of the task share and the solved examples are folded.
function promptSection(texts) {
  if (!texts.prompt) return null;
  const before = [...(texts.head === undefined ? [] : heads[texts.head]), ...(texts.shots ?? [])];
  const length = before.reduce((sum, [, text]) => sum + text.length, 0);
  const what = texts.of_shots > 0 ? counted(texts.of_shots, 'shot') : 'Beginning that all items of the task share';
  return el('section', { 'aria-label': 'Prompt' },
    el('h3', {}, 'Prompt'),
    before.length > 0 && el('details', {}, el('summary', {}, `${what}, ${counted(length, 'character')}`), passages(before)),
    passages(texts.prompt));
}
