// Search: names and first words at once, then the texts, chunk by chunk, while the page stays usable.

let hits = null;
let sought = '';
let running = 0;
// The share of the texts that the search has been through.
let share = 1;

const searched = (row) => hits === null || hits[row] === 1;

// All texts of an item, its solved examples aside: those are not its own.
function* ownTexts(texts) {
  for (const [, passage] of texts.prompt ?? []) yield passage;
  yield* texts.choices ?? [];
  if (texts.reference) yield texts.reference;
  for (const answers of texts.answers) {
    for (const answer of answers) {
      if (answer.text) yield answer.text;
      if (answer.extracted) yield answer.extracted;
      if (answer.outcome) yield answer.outcome[1];
    }
  }
}

function holds(texts, query) {
  for (const text of ownTexts(texts)) if (text.toLowerCase().includes(query)) return true;
  return false;
}

// Searches for the state's query, and tells whenever rows may have been found.
async function search(found) {
  const query = state.q.toLowerCase();
  if (query === sought) return;
  sought = query;
  running += 1;
  share = 1;
  const mine = running;
  if (query === '') {
    hits = null;
    return;
  }
  hits = new Uint8Array(index.length);
  for (let row = 0; row < index.length; row += 1) {
    if (index.item[row].toLowerCase().includes(query) || index.snippet[row].toLowerCase().includes(query)) hits[row] = 1;
  }
  if (!index.texts) return;
  share = 0;
  for (let chunk = 0; chunk < index.chunks.length; chunk += 1) {
    const items = await unpack(`chunk-${chunk}`);
    if (mine !== running) return;
    const first = index.chunks[chunk];
    items.forEach((texts, place) => {
      if (hits[first + place] === 0 && holds(texts, query)) hits[first + place] = 1;
    });
    share = (chunk + 1) / index.chunks.length;
    found();
  }
}
