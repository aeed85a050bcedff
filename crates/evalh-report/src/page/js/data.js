// The samples: an index of all of them, and their texts in chunks that are unpacked when they are needed.

// So many unpacked chunks are kept.
const KEPT = 12;

let index = null;
let heads = [];
const kept = new Map();

// The JSON in a block of data: base64 of gzip.
async function unpack(id) {
  const text = atob($(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

// Unpacks the index, and works out what every look at it needs.
async function loadIndex() {
  const [read, shared] = await Promise.all([unpack('index'), unpack('heads')]);
  heads = shared;
  read.length = read.item.length;
  read.taskName = (row) => read.suites[read.suite[row]].tasks[read.task[row]];
  read.suiteName = (row) => read.suites[read.suite[row]].name;
  read.places = new Map(read.item.map((item, row) => [`${read.suite[row]}\n${item}`, row]));
  index = read;
}

// The row of an item, or undefined.
function rowOf(suite, item) {
  const place = index.suites.findIndex((entry) => entry.name === suite);
  return index.places.get(`${place}\n${item}`);
}

// The chunk that holds a row.
function chunkOf(row) {
  let low = 0;
  let high = index.chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (index.chunks[middle] <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

// The texts of a row.
async function textsOf(row) {
  const chunk = chunkOf(row);
  const items = kept.get(chunk) ?? unpack(`chunk-${chunk}`);
  kept.delete(chunk);
  kept.set(chunk, items);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return (await items)[row - index.chunks[chunk]];
}
