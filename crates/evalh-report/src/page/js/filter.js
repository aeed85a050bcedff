// Which rows pass the filters. An outcome, a flip and a score are looked for in one and the same variant's answers.

const FLIPS = { won: 1, lost: -1, same: 0 };

function scoreKind(score) {
  return score === 1 ? 'right' : score === 0 ? 'wrong' : 'other';
}

// Whether a variant's answers to a row pass; without the filter named.
function answersPass(row, variant, without) {
  const answers = index.answers[variant];
  if (answers.count[row] === 0) return false;
  const wanted = (name) => (name === without ? '' : state[name]);
  const outcome = wanted('outcome');
  if (outcome && !answers.outcome[row].some((place) => index.outcomes[place] === outcome)) return false;
  const flip = wanted('flip');
  if (flip && answers.flip[row] !== FLIPS[flip]) return false;
  const score = wanted('score');
  return !score || scoreKind(answers.score[row]) === score;
}

function variantsWanted(without) {
  const all = index.variants.map((_, place) => place);
  return state.variant && without !== 'variant' ? all.filter((place) => index.variants[place].name === state.variant) : all;
}

// Whether a row passes; without the filter named.
function passes(row, without) {
  if (state.suite && without !== 'suite' && index.suiteName(row) !== state.suite) return false;
  if (state.task && without !== 'task' && index.taskName(row) !== state.task) return false;
  if (state.q && !searched(row)) return false;
  return variantsWanted(without).some((variant) => answersPass(row, variant, without));
}

// The rows that pass.
function passing() {
  const rows = [];
  for (let row = 0; row < index.length; row += 1) if (passes(row)) rows.push(row);
  return rows;
}

// What a row counts for in a filter's choices.
function valuesOf(row, name) {
  if (name === 'suite') return [index.suiteName(row)];
  if (name === 'task') return [index.taskName(row)];
  const found = new Set();
  for (const variant of variantsWanted(name)) {
    if (!answersPass(row, variant, name)) continue;
    const answers = index.answers[variant];
    if (name === 'variant') found.add(index.variants[variant].name);
    if (name === 'outcome') for (const place of answers.outcome[row]) found.add(index.outcomes[place]);
    if (name === 'score') found.add(scoreKind(answers.score[row]));
    if (name === 'flip') for (const flip in FLIPS) if (answers.flip[row] === FLIPS[flip]) found.add(flip);
  }
  return found;
}

// How many rows each choice of a filter would leave, the other filters as they are.
function counts(name) {
  const found = new Map();
  for (let row = 0; row < index.length; row += 1) {
    if (!passes(row, name)) continue;
    for (const value of valuesOf(row, name)) found.set(value, (found.get(value) ?? 0) + 1);
  }
  return found;
}
