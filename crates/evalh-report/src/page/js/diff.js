// Line differences: the longest common subsequence of the lines between what both begin and end with alike.

// More pairs of lines than this are not compared one by one.
const PAIRS = 4_000_000;

// The lines of `to` as a change of `from`: [sign, line], the sign a space, a minus or a plus.
function lineDiff(from, to) {
  const a = from.split('\n');
  const b = to.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (lines) => lines.map((line) => [' ', line]);
  return [
    ...same(a.slice(0, start)),
    ...middleDiff(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ];
}

function middleDiff(a, b) {
  const out = [];
  let i = 0;
  let j = 0;
  if (a.length * b.length <= PAIRS) {
    const length = commonLengths(a, b);
    const width = b.length + 1;
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) {
        out.push([' ', a[i]]);
        i += 1;
        j += 1;
      } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) {
        out.push(['-', a[i]]);
        i += 1;
      } else {
        out.push(['+', b[j]]);
        j += 1;
      }
    }
  }
  for (; i < a.length; i += 1) out.push(['-', a[i]]);
  for (; j < b.length; j += 1) out.push(['+', b[j]]);
  return out;
}

// The length of the longest common subsequence of a[i..] and b[j..], for all i and j.
function commonLengths(a, b) {
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      length[i * width + j] = a[i] === b[j]
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  return length;
}
