// What becomes of a photographed digit, in whole numbers and in Pillow's order of arithmetic, so that it is equal to Python's: `like_mnist` and `read_image`.

const WHOLE = 28;
const FILLED = 20; // MNIST's digits fill a box of this size
const CENTER = 14; // and the center of their ink is here

// How a row of `from` pixels becomes one of `to`: of each new pixel where it begins and ends. Pillow's BOX: the old pixels whose middle it covers.
const spansOf = (from, to) => {
  const scale = from / to;
  const reach = Math.max(1, scale) / 2;
  return Array.from({ length: to }, (_, i) => {
    const middle = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(middle - reach + 0.5));
    const high = Math.min(from, Math.trunc(middle + reach + 0.5));
    const inside = [];
    for (let at = low; at < high; at++) { const far = (at - middle + 0.5) / (2 * reach); if (far > -0.5 && far <= 0.5) inside.push(at); }
    return inside;
  });
};

// Pixels of `[rows, columns]` brought to another size, each new one the average of the rectangle that it covers
export const resizedTo = (pixels, [rows, columns], [newRows, newColumns]) => {
  if (rows === newRows && columns === newColumns) return Uint8Array.from(pixels);
  const across = columns === newColumns ? null : spansOf(columns, newColumns);
  const wide = new Float32Array(rows * newColumns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < newColumns; column++) {
      if (!across) { wide[row * newColumns + column] = pixels[row * columns + column]; continue; }
      const share = 1 / across[column].length;
      wide[row * newColumns + column] = across[column].reduce((sum, at) => sum + pixels[row * columns + at] * share, 0);
    }
  }
  const down = rows === newRows ? null : spansOf(rows, newRows);
  const image = new Uint8Array(newRows * newColumns);
  for (let row = 0; row < newRows; row++) {
    for (let column = 0; column < newColumns; column++) {
      const value = down ? Math.fround(down[row].reduce((sum, at) => sum + wide[at * newColumns + column] * (1 / down[row].length), 0)) : wide[row * newColumns + column];
      image[row * newColumns + column] = Math.floor(Math.fround(value + 0.5));
    }
  }
  return image;
};

// Where to put a digit, of whose rows or columns these are the sums, so that its center of ink is in the middle
const beginOf = (sums) => {
  const total = sums.reduce((sum, x) => sum + x, 0);
  const moment = sums.reduce((sum, x, i) => sum + x * i, 0);
  return Math.min(WHOLE - sums.length, Math.max(0, Math.floor((2 * (CENTER * total - moment) + total) / (2 * total))));
};

// A digit of `[rows, columns]` pixels, bright ink, as MNIST's makers would have prepared it: `image`, or in words what the `problem` is
export const likeMnist = (pixels, [rows, columns]) => {
  const counts = new Array(256).fill(0);
  for (const value of pixels) counts[value] += 1;
  let paper = 0;
  for (let seen = counts[0]; seen <= Math.floor((pixels.length - 1) / 2); seen += counts[paper]) paper += 1;
  const full = counts.findLastIndex((count) => count > 0) - paper;
  if (full < 32) return { problem: `there is hardly any ink on it: the darkest is ${full} of 255 grays from the paper. Write with a darker pen, in better light` };
  const faint = Math.floor(full / 4);
  const stretched = counts.map((_, value) => Math.floor((2 * 255 * Math.max(0, value - paper - faint) + full - faint) / (2 * (full - faint))));
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!stretched[pixels[row * columns + column]]) continue;
      [top, bottom, left, right] = [Math.min(top, row), Math.max(bottom, row), Math.min(left, column), Math.max(right, column)];
    }
  }
  const sides = [bottom - top + 1, right - left + 1];
  const longer = Math.max(...sides);
  const cut = new Uint8Array(sides[0] * sides[1]);
  for (let row = 0; row < sides[0]; row++) for (let column = 0; column < sides[1]; column++) cut[row * sides[1] + column] = stretched[pixels[(row + top) * columns + column + left]];
  const size = sides.map((side) => Math.max(1, Math.floor((2 * FILLED * side + longer) / (2 * longer))));
  const small = resizedTo(cut, sides, size);
  const sums = size.map((n, axis) => Array.from({ length: n }, (_, i) => small.reduce((sum, x, at) => sum + ((axis ? at % size[1] : Math.floor(at / size[1])) === i ? x : 0), 0)));
  const [first, second] = sums.map(beginOf);
  const image = new Uint8Array(WHOLE * WHOLE);
  small.forEach((value, at) => { image[(Math.floor(at / size[1]) + first) * WHOLE + (at % size[1]) + second] = value; });
  return { image };
};
