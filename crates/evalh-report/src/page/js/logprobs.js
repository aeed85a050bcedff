// The log-probabilities of given continuations: a row a continuation, a column a variant.

// Whether a choice is the right one, as far as its text tells.
function isTarget(choice, answers) {
  const target = answers.find((answer) => answer)?.target;
  return target !== undefined && choice !== undefined && choice.trim() === target.trim();
}

function logprobTable(texts, answers) {
  const most = Math.max(0, ...answers.map((answer) => answer?.scored?.length ?? 0));
  if (most === 0) return null;
  const best = answers.map((answer) => Math.max(...(answer?.scored ?? []).map(([logprob]) => logprob)));
  const rows = Array.from({ length: most }, (_, choice) => {
    const text = texts.choices?.[choice];
    const right = isTarget(text, answers);
    return el('tr', { class: right ? 'target' : undefined },
      el('th', { scope: 'row' }, text === undefined ? `choice ${choice + 1}` : el('code', {}, visible(text)),
        right && el('span', { class: 'badge good' }, 'right')),
      answers.map((answer, place) => {
        const scored = answer?.scored?.[choice];
        if (!scored) return el('td', { class: 'number' }, '\u2013');
        const [logprob, tokens, greedy] = scored;
        const top = logprob === best[place];
        return el('td', { class: top ? 'number most' : 'number', title: `${counted(tokens, 'token')}${greedy ? ', each the most likely one' : ''}` },
          top && el('span', { class: 'pick', title: 'most likely' }, el('span', { 'aria-hidden': true }, '\u25b8 '), hiddenText('most likely ')),
          decimals(logprob, 3), greedy && el('span', { class: 'greedy' }, '*'));
      }));
  });
  return el('section', { 'aria-label': 'Log-probabilities' },
    el('h3', {}, 'Log-probabilities of continuations'),
    el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Log-probabilities' },
      el('table', {},
        el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Continuation'),
          index.variants.map((variant, place) => el('th', { scope: 'col', class: 'number' }, variantKey(place), ' ', visible(variant.name))))),
        el('tbody', {}, rows))),
    el('p', { class: 'note' }, 'In nats, summed over tokens; \u25b8 the most likely of them, * every token is the most likely one at its place.'));
}
