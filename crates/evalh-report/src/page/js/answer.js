// One variant's answer.

function fact(name, ...value) {
  return value.some((part) => part) ? el('div', {}, el('dt', {}, name), el('dd', {}, ...value)) : null;
}

function quoted(text) {
  return text === undefined ? null : el('code', {}, visible(text) || '\u2205');
}

// What is known of an answer besides its text.
function facts(answer) {
  const others = Object.entries(answer.scores ?? {});
  return el('dl', { class: 'facts' },
    fact('Extracted', quoted(answer.extracted)),
    fact('Target', quoted(answer.target)),
    answer.outcome && fact('Outcome', visible(answer.outcome[0])),
    fact('Ended by', answer.ended && visible(answer.ended)),
    fact('Tokens', answer.tokens !== undefined && thousands(answer.tokens)),
    fact('Prompt', counted(answer.prompt_tokens, 'token'), answer.truncated && el('strong', {}, `, ${thousands(answer.truncated)} cut from its beginning`)),
    fact('Suspicions', answer.suspicions && answer.suspicions.map(visible).join(', ')),
    answer.loss && fact('Log-probability', `${decimals(answer.loss[0], 3)} over ${counted(answer.loss[1], 'token')}, ${counted(answer.loss[2], 'byte')}, ${counted(answer.loss[3], 'window')}`),
    answer.classified && fact('Outputs', answer.classified.map((output) => decimals(output, 4)).join(', ')),
    !Number.isInteger(answer.score) && fact('Score', decimals(answer.score, 4)),
    others.map(([name, score]) => fact(visible(name), scoreText(score))),
  );
}

// The card of a variant. `other` is what its text is compared with, where something is.
function answerCard(place, row, answer, other) {
  const variant = index.variants[place];
  const name = visible(variant.name);
  const heading = el('h4', {}, variantKey(place), ' ', el('bdi', {}, name), ' ', variant.role !== variant.name && el('small', {}, variant.role));
  if (!answer) {
    return el('section', { class: 'answer', 'aria-label': name }, el('header', {}, heading), el('p', { class: 'note' }, 'No answer.'));
  }
  const said = answer.outcome?.[1];
  return el('section', { class: 'answer', 'aria-label': name },
    el('header', {}, heading, el('span', { class: 'verdict' }, flipMark(index.answers[place].flip[row]), mark(answer.score))),
    answer.text !== undefined && (other === undefined
      ? passage(answer.text, `Completion of ${name}`)
      : difference(other, answer.text, `Completion of ${name}, compared`)),
    said && el('div', { class: 'said' }, el('span', { class: 'who' }, 'Program said'), passage(said, 'What the program said')),
    facts(answer));
}
