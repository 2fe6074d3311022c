// Two classes as hills along one number each, and a bar through them: the arithmetic, and the columns. The bar and the rules import it.

// How many of the sorted numbers lie above a threshold
export const countAbove = (sorted, threshold) => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > threshold) high = middle;
    else low = middle + 1;
  }
  return sorted.length - low;
};

// One set: the numbers, which of them should lie above, and what the bar needs of them, sorted once; `order` is for those who show single images
export const setOf = (values, isAbove, ordered = true) => {
  const sorted = (keep) => values.filter((_, i) => Boolean(isAbove[i]) === keep).sort();
  const levels = Float64Array.from(new Set(Float64Array.from(values).sort()));
  const stops = Float64Array.from({ length: levels.length + 1 }, (_, i) => {
    if (i === 0) return levels[0] - (levels.length > 1 ? (levels[1] - levels[0]) / 2 : 1);
    if (i === levels.length) return levels[i - 1] + (levels.length > 1 ? (levels[i - 1] - levels[i - 2]) / 2 : 1);
    return (levels[i - 1] + levels[i]) / 2;
  });
  const order = ordered && Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b);
  return { values, isAbove, above: sorted(true), below: sorted(false), levels, stops, order };
};

// Counts for a bar: of those that should lie above and of those that should not, how many are right
export const countsOf = (set, threshold) => {
  const right = [countAbove(set.above, threshold), set.below.length - countAbove(set.below, threshold)];
  const total = [set.above.length, set.below.length];
  return { right, total, both: right[0] + right[1], accuracy: (right[0] + right[1]) / (total[0] + total[1]), each: right.map((n, k) => n / total[k]) };
};

// The threshold that gets most right, halfway between two neighboring values; of equally good ones the lowest
export const bestOf = (set) => {
  let [best, most] = [set.stops[1], -1];
  for (let i = 1; i < set.levels.length; i++) {
    const { both } = countsOf(set, set.stops[i]);
    if (both > most) [best, most] = [set.stops[i], both];
  }
  return best;
};

// The highest of the stops at which none of those that should lie above is lost
export const losingNone = (set) => {
  let found = set.stops[0];
  for (const stop of set.stops) if (stop < set.above[0]) found = stop;
  return found;
};

// The position of the stop nearest to a value
export const nearestStop = (stops, value) => {
  let [low, high] = [0, stops.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stops[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low && value - stops[low - 1] <= stops[low] - value ? low - 1 : low;
};

// The images nearest to the bar, in order of their numbers: so many below it, so many above
export const nearestTo = (set, threshold, n) => {
  const at = set.values.length - countAbove(set.above, threshold) - countAbove(set.below, threshold);
  return [set.order.slice(Math.max(0, at - n), at), set.order.slice(at, at + n)];
};

// How many columns, at most `most`, fit into a span: each as wide as a whole number of steps where the numbers come in steps, or some columns would get more of them than others
export const columnsOf = (levels, span, most) => {
  let step = Infinity;
  for (let i = 1; i < levels.length; i++) step = Math.min(step, levels[i] - levels[i - 1]);
  const width = span / Math.floor(most);
  return span / step > 2000 ? Math.floor(most) : span / (Math.ceil(width / step - 1e-6) * step);
};

// The column of a number that lies at this share of the span
export const columnAt = (share, columns) => Math.min(Math.floor(columns), Math.floor(share * columns + 1e-9));

// The hills as columns, one up and one down from `middle`; filled on the right side of the bar, hollow on the wrong one. All lengths in pixels
export const paintColumns = (context, { heights, colors, left, room, columns, middle, step, bar, width, tall }) => {
  heights.forEach((counts, down) => {
    const path = new Path2D();
    counts.forEach((n, i) => { if (n) path.rect(left + (i * room) / columns + 0.5, middle - (down ? 0 : n * step), Math.max(1, room / columns - 1), n * step); });
    Object.assign(context, { strokeStyle: colors[down], fillStyle: colors[down], lineWidth: 1.2 });
    context.stroke(path);
    context.save();
    context.beginPath();
    if (down) context.rect(0, 0, bar, tall);
    else context.rect(bar, 0, width - bar, tall);
    context.clip();
    context.fill(path);
    context.restore();
  });
};
