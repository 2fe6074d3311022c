// How sure: other groups of digits, again and again, and the intervals that they give.
import { bytesOf, clamp, colorsOf, control, fixed, frameOf, framer, grouped, listen, make, numberOf, onTheme, setter, sharp, sliderOf, wholeOf } from "./figure.js";

const SHOWN = 50; // so many of the latest draws are drawn
const ROW = 5; // pixels for each of them
const MOST = 2000; // draws

// The share of right answers among n, with Wilson's interval for a z
export const intervalOf = (right, n, z) => {
  const p = right / n;
  const center = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [right ? center - half : 0, right < n ? center + half : 1];
};

// A number from 0 to 1 for a place in the stream of a seed: mulberry32, in which every number can be had at once
export const randomAt = (seed, place) => {
  const a = (seed + Math.imul(place + 1, 0x6d2b79f5)) | 0;
  let t = Math.imul(a ^ (a >>> 15), 1 | a);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

// How many of group `draw` are right: n of the images, with a new draw for each; `stream` tells groups of the same number apart
export const groupOf = (right, n, draw, seed, stream) => {
  let count = 0;
  for (let i = 0; i < n; i++) count += right[Math.floor(randomAt(seed + stream, draw * 4096 + i) * right.length)];
  return count;
};

export const bitsOf = (text, n) => {
  const bytes = bytesOf(text);
  return Uint8Array.from({ length: n }, (_, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1);
};

const render = ({ model, el }) => {
  const set = setter(model);
  const total = model.get("total");
  const rules = model.get("rules").map(({ name, right }) => ({ name, right: bitsOf(right, total) }));
  const truth = rules.map(({ right }) => right.reduce((sum, one) => sum + one, 0) / total);
  const z = model.get("z");
  const whole = (name, low, high) => wholeOf(model.get(name), low, high);
  const now = () => ({ n: whole("n", 20, total), draws: whole("draws", 0, MOST), seed: whole("seed", 0, 10 ** 6) });

  // What has been drawn is kept, as long as n and seed stay
  const drawn = (kept, n, seed, draws) => {
    for (let draw = kept.length; draw < draws; draw++) {
      const counts = rules.map(({ right }) => groupOf(right, n, draw, seed, 0));
      const own = rules.length > 1 ? groupOf(rules[1].right, n, draw, seed, 1) : 0;
      const [low, high] = intervalOf(counts[0], n, z);
      kept.push({ low, high, share: counts[0] / n, misses: truth[0] < low || truth[0] > high, same: counts[1] - counts[0], own: own - counts[0] });
    }
    return kept.slice(0, draws);
  };
  let kept = {};
  const drawnOf = ({ n, draws, seed }) => {
    if (kept.n !== n || kept.seed !== seed) kept = { n, seed, groups: [] };
    return drawn(kept.groups, n, seed, draws);
  };
  const missed = (groups) => groups.filter(({ misses }) => misses).length;
  const asked = model.get("asked");
  let answer = null; // what the question asks for

  const canvas = make("canvas", { className: "psf-rain psf-veiled", attributes: { role: "img" } });
  const facts = make("div", { className: "psf-facts psf-veiled" });
  const slider = sliderOf(20, total, "digits in a group", () => now().n, (n) => set({ n }));
  const number = make("span", { className: "psf-number" });
  const more = [1, 10, 100].map((k) => control("button", { type: "button", textContent: k === 1 ? "draw a group" : `draw ${k}`, onclick: () => set({ draws: Math.min(MOST, now().draws + k) }) }));
  const again = control("button", { type: "button", className: "psf-plain", textContent: "others", onclick: () => set({ seed: now().seed + 1, draws: 0 }) });

  const frame = frameOf({ model, el, title: "Intervals that rain",
    ask: { text: `${rules[0].name} gets ${fixed(truth[0], 4)} of all images right. A hundred people draw ${grouped(asked)} digits each, and compute a 95% interval from them. How many of the hundred intervals will miss ${fixed(truth[0], 4)}?`,
      truth: () => {
        answer ??= [100, 1000].map((draws) => missed(drawn([], asked, 0, draws)));
        return `Of the first hundred here, ${answer[0]} miss it, and of the first thousand ${answer[1]}. In the long run it is about 5 of 100: that is what 95% means.`;
      },
      say: (guess) => guess, fits: (guess) => numberOf(guess) !== null, mode: "numeric", complaint: "Type a number from 0 to 100." },
    stage: [canvas, facts],
    controls: [make("div", { className: "psf-row" }, make("label", {}, "digits in a group ", slider, number)), make("div", { className: "psf-row" }, ...more, again)],
    help: `Each line is one group of digits, the newest on top: its interval, and a dot for its accuracy. The upright line is the accuracy on all ${grouped(total)} images. Filled: the interval has it. Hollow, with a ✗: it misses.` });

  const paint = (groups) => {
    const width = canvas.clientWidth || 600;
    const tall = SHOWN * ROW + 26;
    const colors = colorsOf(frame.root);
    const context = sharp(canvas, width, tall);
    const half = 1.35 * (intervalOf(Math.round(truth[0] * kept.n), kept.n, z)[1] - intervalOf(Math.round(truth[0] * kept.n), kept.n, z)[0]);
    const [first, last] = [Math.max(0, truth[0] - half), Math.min(1, truth[0] + half)];
    const x = (share) => 14 + (clamp((share - first) / (last - first), 0, 1)) * (width - 28);
    context.fillStyle = colors.ink;
    context.fillRect(x(truth[0]) - 1, 0, 2, SHOWN * ROW);
    Object.assign(context, { font: "12px system-ui, sans-serif", textAlign: "left" });
    context.fillText(fixed(first, 3), 2, tall - 6);
    context.textAlign = "right";
    context.fillText(fixed(last, 3), width - 2, tall - 6);
    context.textAlign = "center";
    context.fillText(fixed(truth[0], 4), x(truth[0]), tall - 6);
    groups.slice(-SHOWN).reverse().forEach(({ low, high, share, misses }, row) => {
      const y = row * ROW + 3;
      Object.assign(context, { strokeStyle: misses ? colors.bad : colors.high, fillStyle: misses ? colors.bad : colors.high, lineWidth: misses ? 1.5 : 2 });
      context.setLineDash(misses ? [3, 2] : []);
      context.beginPath();
      context.moveTo(x(low), y);
      context.lineTo(x(high), y);
      context.stroke();
      context.setLineDash([]);
      context.beginPath();
      context.arc(x(share), y, 2.2, 0, 7);
      if (misses) context.stroke();
      else context.fill();
      if (misses) { context.font = "10px system-ui, sans-serif"; context.fillText("✗", share < truth[0] ? x(high) + 8 : x(low) - 8, y + 3); }
    });
  };

  const update = () => {
    frame.lock();
    const state = now();
    const groups = drawnOf(state);
    paint(groups);
    slider.value = state.n;
    number.textContent = grouped(state.n);
    slider.setAttribute("aria-valuetext", `${state.n} digits in a group`);
    const [low, high] = intervalOf(Math.round(truth[0] * state.n), state.n, z);
    const wins = (kind) => groups.filter((group) => group[kind] > 0).length;
    facts.replaceChildren(
      make("div", { textContent: `${missed(groups)} of ${grouped(groups.length)} intervals miss. With ${grouped(state.n)} digits an interval is some ${fixed(high - low, 3)} wide.` }),
      ...(rules.length > 1 ? [make("div", { textContent: `${rules[1].name} has more right than ${rules[0].name} in ${grouped(wins("same"))} of ${grouped(groups.length)} groups, if both are given the same digits, and in ${grouped(wins("own"))}, if each draws digits of its own.` })] : []));
    more.forEach((button) => { button.disabled = state.draws >= MOST; });
    canvas.setAttribute("aria-label", `The intervals of the latest ${Math.min(SHOWN, groups.length)} groups`);
    const newest = groups[groups.length - 1];
    frame.show(newest ? `${grouped(groups.length)} groups of ${grouped(state.n)} digits: ${missed(groups)} intervals miss ${fixed(truth[0], 4)}. The latest goes from ${fixed(newest.low, 4)} to ${fixed(newest.high, 4)}${newest.misses ? ", and misses it" : ""}.`
      : `No group is drawn yet: press a button, and ${grouped(state.n)} digits are drawn.`);
  };
  const soon = framer(update);
  const endings = [listen(model, ["n", "draws", "seed", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  watched.observe(canvas);
  update();
  return () => { for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
