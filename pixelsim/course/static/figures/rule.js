// A rule of one's own: choose a measure, turn it round, combine it with another, and see the hills, the bar, and a place on the board.
import { bytesOf, clamp, colorsOf, control, dragX, field, fixed, frameOf, framer, grouped, listen, make, moveKeys, numberOf, onTheme, setter, sharp } from "./figure.js";
import { bestOf, columnAt, columnsOf, countsOf, nearestStop, paintColumns, setOf } from "./hills.js";

const SIDE = 28;
const BITS = "digits-3-7-bits.js"; // the file that the site has of the digits
const INSET = 12; // half a range's thumb, so that the thumb stands under the bar
const TALL = 66; // how high a hill may be, in pixels
const CELL = 5; // pixels of the screen for a pixel of a digit

// The ready measures: what each counts, the numbers that it needs, and how Python writes it
export const MEASURES = {
  ink: { text: "dark pixels in a window", asks: ["first row", "row after the last", "first column", "column after the last"], start: [14, 28, 0, 14], code: ([a, b, c, d]) => `(images[:, ${a}:${b}, ${c}:${d}]>0.5).sum((1, 2))` },
  column: { text: "strokes on the way down a column", asks: ["column"], start: [14], code: ([c]) => `strokes(images)[:, ${c}]` },
  row: { text: "strokes on the way along a row", asks: ["row"], start: [18], code: ([r]) => `strokes(images.mT)[:, ${r}]` },
  "upside down": { text: "pixels that change upside down", asks: [], start: [], code: () => "((images>0.5)!=(images>0.5).flip(1)).sum((1, 2))" },
  mirror: { text: "pixels that change in a mirror", asks: [], start: [], code: () => "((images>0.5)!=(images>0.5).flip(2)).sum((1, 2))" },
  pixel: { text: "one pixel: is it dark?", asks: ["row", "column"], start: [20, 8], code: ([r, c]) => `(images[:, ${r}, ${c}]>0.5).int()` },
};
export const WAYS = { alone: "alone", plus: "plus", minus: "minus", per: "divided by" };

// A measure as it may stand in an address, such as ["ink", 14, 28, 0, 14], with everything that does not fit put right
export const checked = (part) => {
  const kind = Array.isArray(part) && Object.hasOwn(MEASURES, part[0]) ? part[0] : "ink";
  const { start } = MEASURES[kind];
  const numbers = start.map((usual, i) => (Array.isArray(part) && Number.isInteger(part[i + 1]) ? clamp(part[i + 1], 0, SIDE) : usual));
  if (kind !== "ink") return [kind, ...numbers.map((n) => Math.min(n, SIDE - 1))];
  const ends = [0, 2].flatMap((i) => { const low = Math.min(numbers[i], SIDE - 1); return [low, Math.max(numbers[i + 1], low + 1)]; });
  return [kind, ...ends];
};

// Digits as 0 and 1 out of packed bits, the first pixel in the highest bit
export const darkOf = (bytes) => Uint8Array.from({ length: bytes.length * 8 }, (_, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1);

// For each image how many dark pixels lie above and left of each corner, so that a window of any size is four numbers
export const cornersOf = (dark) => {
  const n = dark.length / SIDE ** 2;
  const wide = SIDE + 1;
  const corners = new Uint16Array(n * wide * wide);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < SIDE; r++) {
      let line = 0;
      for (let c = 0; c < SIDE; c++) {
        line += dark[(i * SIDE + r) * SIDE + c];
        corners[(i * wide + r + 1) * wide + c + 1] = corners[(i * wide + r) * wide + c + 1] + line;
      }
    }
  }
  return corners;
};

// What a measure gives for each image
export const valuesOf = ({ dark, corners }, [kind, ...numbers]) => {
  const n = dark.length / SIDE ** 2;
  const each = (measure) => Float64Array.from({ length: n }, (_, i) => measure(i * SIDE ** 2, i));
  const starts = (at, first, step) => {
    let found = 0;
    let before = 0;
    for (let k = 0; k < SIDE; k++) {
      const now = dark[at + first + k * step];
      if (now && !before) found += 1;
      before = now;
    }
    return found;
  };
  const changes = (at, other) => {
    let found = 0;
    for (let k = 0; k < SIDE ** 2; k++) if (dark[at + k] !== dark[at + other(k)]) found += 1;
    return found;
  };
  if (kind === "ink") {
    const [a, b, c, d] = numbers;
    const wide = SIDE + 1;
    return each((_, i) => { const at = (r, k) => corners[(i * wide + r) * wide + k]; return at(b, d) - at(a, d) - at(b, c) + at(a, c); });
  }
  if (kind === "column") return each((at) => starts(at, numbers[0], SIDE));
  if (kind === "row") return each((at) => starts(at, numbers[0] * SIDE, 1));
  if (kind === "pixel") return each((at) => dark[at + numbers[0] * SIDE + numbers[1]]);
  if (kind === "mirror") return each((at) => changes(at, (k) => k - (k % SIDE) + SIDE - 1 - (k % SIDE)));
  return each((at) => changes(at, (k) => SIDE * (SIDE - 1 - Math.floor(k / SIDE)) + (k % SIDE)));
};

export const combined = (first, how, second) => {
  const join = { plus: (a, b) => a + b, minus: (a, b) => a - b, per: (a, b) => a / Math.max(b, 1) }[how];
  return join ? first.map((a, i) => join(a, second[i])) : first;
};

// The two lines that enter the rule in the arena
export const codeOf = (first, how, second, turned, bar) => {
  const written = ([kind, ...numbers]) => MEASURES[kind].code(numbers);
  const other = { plus: ` + ${written(second)}`, minus: ` - ${written(second)}`, per: ` / ${written(second)}.clamp_min(1)` }[how] ?? "";
  return `def my_rule(images): return ${written(first)}${other} ${turned ? "<=" : ">"} ${bar}\narena.enter("my rule", my_rule)`;
};

const inflated = async (bytes) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());

const render = ({ model, el }) => {
  const set = setter(model);
  const [threes, sevens, sample3, sample7] = model.get("sizes");
  const total = threes + sevens;
  const ready = model.get("ready");
  const isSeven = (n3, n7) => Uint8Array.from({ length: n3 + n7 }, (_, i) => Number(i >= n3));
  const seven = { valid: isSeven(threes, sevens), sample: isSeven(sample3, sample7) };
  let digits = null;
  let failed = false;
  let closed = false;
  let active = 0; // the measure that one drags

  const state = () => ({ parts: [checked(model.get("first")), checked(model.get("second"))], how: Object.hasOwn(WAYS, model.get("how")) ? model.get("how") : "alone", turned: Boolean(model.get("turned")) });

  // Everything that follows from a rule: hills of both sets, the bar, and how many are right. Made anew when the rule changes.
  let made = {};
  const worked = ({ parts, how, turned }) => {
    const key = JSON.stringify([parts, how, turned]);
    if (made.key === key) return made;
    const values = combined(valuesOf(digits, parts[0]), how, how === "alone" ? null : valuesOf(digits, parts[1]));
    const side = (numbers, isSevens) => setOf(numbers, Array.from(isSevens, (is) => Boolean(is) !== turned), false);
    const [valid, sample] = [side(values.slice(0, total), seven.valid), side(values.slice(total), seven.sample)];
    const round = (one) => ({ ...one, above: one.below, below: one.above });
    const roundRight = countsOf(round(valid), bestOf(round(sample))).both;
    made = { key, values, valid, sample, best: bestOf(sample), roundRight };
    return made;
  };
  const barOf = (found) => { const [own] = model.get("own") ?? []; return Number.isFinite(own) ? own : found.best; };
  const asked = () => {
    const before = made;
    const found = worked({ parts: [["ink", ...MEASURES.ink.start], checked([])], how: "alone", turned: true });
    made = before;
    return countsOf(found.valid, found.best).both;
  };
  let truth = null;

  // The digits, on which one drags
  const shown = [3, 7].map((label) => {
    const canvas = make("canvas", { className: "psf-window", width: 2 * CELL * SIDE, height: 2 * CELL * SIDE, attributes: { role: "img", "aria-label": `A ${label}` } });
    return { label, canvas, says: make("figcaption", { className: "psf-small psf-veiled" }) };
  });
  const another = control("button", { type: "button", className: "psf-veiled", textContent: "Two others", onclick: () => set({ pair: ((Math.trunc(model.get("pair")) || 0) + 1) % 1000 }) });

  // The measures
  const names = ["first", "second"];
  const fields = names.map((name, k) => {
    const put = (part) => { active = k; set({ [name]: checked(part) }); };
    const select = control("select", { attributes: { "aria-label": `${name} measure` }, onchange: () => put([select.value, ...MEASURES[select.value].start]) },
      ...Object.entries(MEASURES).map(([kind, { text }]) => make("option", { value: kind, textContent: text })));
    const inputs = Array.from({ length: 4 }, (_, i) => {
      const input = field({ type: "number", min: 0, max: SIDE, step: 1 });
      const typed = (whole) => {
        if (input.value === "") return;
        const part = state().parts[k];
        part[i + 1] = Math.trunc(Number(input.value));
        if (whole || String(checked(part)) === String(part)) put(part); // half a number, such as the 1 of 12, may not fit yet
      };
      for (const kind of ["input", "change"]) input.addEventListener(kind, () => typed(kind === "change"));
      return { input, text: make("span", { attributes: { "aria-hidden": "true" } }) };
    });
    const row = make("div", { className: "psf-row" }, select, ...inputs.map(({ input, text }) => make("span", {}, text, input)));
    row.addEventListener("focusin", () => { if (active !== k) { active = k; soon(); } });
    return { row, select, inputs };
  });
  const how = control("select", { attributes: { "aria-label": "how the measures are combined" }, onchange: () => set({ how: how.value }) }, ...Object.entries(WAYS).map(([value, textContent]) => make("option", { value, textContent })));
  const turn = control("input", { type: "checkbox", onchange: () => set({ turned: turn.checked, own: [] }) });
  const best = control("button", { type: "button", textContent: "Best bar again", onclick: () => set({ own: [] }) });

  // The hills and the bar
  const hills = make("canvas", { className: "psf-hills psf-low", attributes: { role: "img", "aria-label": "" } });
  const slider = control("input", { type: "range", min: 0, max: 1, step: "any", className: "psf-bar", attributes: { "aria-label": "Bar" } });
  const plot = make("div", { className: "psf-plot psf-veiled" }, hills, slider);

  const body = make("tbody");
  const board = make("table", { className: "psf-table psf-board" }, make("caption", { textContent: "The board" }), make("thead", {}, make("tr", {}, ...["rank", "rule", "accuracy"].map((text) => make("th", { textContent: text, scope: "col" })))), body);
  const code = make("pre", { className: "psf-lines", attributes: { "aria-label": "The two lines that enter this rule in the arena" } });
  const lines = make("div", {}, make("span", { className: "psf-small", textContent: "As two lines of Python (strokes is in pixelsim.course.ideas)" }), code);

  const frame = frameOf({ model, el, title: "A rule of your own",
    ask: { text: "Count the dark pixels in the lower left quarter of each digit, and say 7 where there are few of them. How many of 100 digits will that get right?",
      truth: () => (truth === null ? "" : `It gets ${grouped(truth)} of the ${grouped(total)} validation digits right, ${fixed((100 * truth) / total, 1)} of 100.`),
      say: (guess) => `${numberOf(guess)} of 100`, fits: (guess) => numberOf(guess) !== null, unit: "of 100", mode: "decimal", complaint: "Type a number from 0 to 100." },
    stage: [make("div", { className: "psf-near" }, ...shown.map(({ canvas, says }) => make("figure", { className: "psf-figure" }, canvas, says)), another),
      fields[0].row, make("div", { className: "psf-row" }, how, make("label", {}, turn, " turned round: few means 7"), best), fields[1].row, plot],
    controls: [make("div", { className: "psf-tables" }, board, lines)],
    help: "Drag a window, a line or a pixel on the digits, or type its numbers; with two measures it is the one you touched last. Dark is a pixel above 0.5. The bar is put where it gets most of 2,000 training digits right; the numbers are those of the 2,038 validation digits. Move it by dragging or with the arrow keys." });
  frame.says.setAttribute("aria-busy", "true");

  const paintDigit = ({ label, canvas }, image, { parts, how: way }) => {
    const context = canvas.getContext("2d");
    const size = 2 * CELL;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "#000";
    for (let k = 0; k < SIDE ** 2; k++) if (digits.dark[image * SIDE ** 2 + k]) context.fillRect((k % SIDE) * size, Math.floor(k / SIDE) * size, size, size);
    parts.slice(0, way === "alone" ? 1 : 2).forEach(([kind, ...n], which) => {
      const box = { ink: () => [n[2], n[0], n[3] - n[2], n[1] - n[0]], column: () => [n[0], 0, 1, SIDE], row: () => [0, n[0], SIDE, 1], pixel: () => [n[1], n[0], 1, 1], mirror: () => [SIDE / 2, 0, 0, SIDE], "upside down": () => [0, SIDE / 2, SIDE, 0] }[kind]().map((v) => v * size);
      context.fillStyle = which ? "rgb(184 92 0 / .22)" : "rgb(11 87 208 / .22)";
      context.fillRect(...box);
      Object.assign(context, { strokeStyle: which ? "#b85c00" : "#0b57d0", lineWidth: 4 });
      context.setLineDash(which ? [10, 6] : []);
      context.strokeRect(...box);
      context.setLineDash([]);
    });
    canvas.setAttribute("aria-label", `A ${label} of the validation set, with what the rule looks at`);
  };

  const paintHills = ({ valid }, bar, turned) => {
    const width = hills.clientWidth || 600;
    const tall = 2 * TALL + 8;
    const colors = colorsOf(frame.root);
    const { stops, levels, values, isAbove } = valid;
    const [first, last] = [stops[0], stops[stops.length - 1]];
    const room = width - 2 * INSET;
    const columns = columnsOf(levels, last - first, room / 5);
    const heights = [0, 1].map(() => new Int32Array(Math.floor(columns) + 1));
    values.forEach((value, i) => { heights[isAbove[i] ? 0 : 1][columnAt((value - first) / (last - first), columns)] += 1; });
    const step = TALL / Math.max(...heights[0], ...heights[1]);
    const x = INSET + clamp((bar - first) / (last - first), 0, 1) * room;
    const context = sharp(hills, width, tall);
    const sides = turned ? [colors.high, colors.low] : [colors.low, colors.high]; // above are sevens, unless it is turned
    paintColumns(context, { heights, colors: sides, left: INSET, room, columns, middle: TALL + 4, step, bar: x, width, tall });
    sides.forEach((color, k) => {
      Object.assign(context, { fillStyle: color, font: "600 13px system-ui, sans-serif", textAlign: "right" });
      context.fillText(`${(k === 0) === turned ? 3 : 7}s`, width - INSET, k ? tall - 4 : 13);
    });
    context.fillStyle = colors.ink;
    context.fillRect(x - 1, 0, 2, tall);
    slider.value = clamp((bar - first) / (last - first), 0, 1);
  };

  const ranked = (right) => [...ready.map(([name, n]) => ({ name, right: n })), { name: "your rule", right, own: true }].sort((a, b) => b.right - a.right || Number(Boolean(a.own)) - Number(Boolean(b.own)));
  const written = (x) => (Number.isInteger(x * 2) ? String(x) : fixed(x, 4));

  const update = () => {
    if (digits && truth === null) truth = asked();
    frame.lock();
    const now = state();
    fields.forEach(({ row, select, inputs }, k) => {
      const [kind, ...numbers] = now.parts[k];
      const { asks } = MEASURES[kind];
      row.hidden = k === 1 && now.how === "alone";
      select.value = kind;
      inputs.forEach(({ input, text }, i) => {
        input.parentElement.hidden = i >= asks.length;
        if (i >= asks.length) return;
        text.textContent = kind === "ink" ? [" rows ", " : ", " columns ", " : "][i] : ` ${asks[i]} `;
        input.setAttribute("aria-label", `${names[k]} measure, ${asks[i]}`);
        input.max = kind === "ink" && i % 2 ? SIDE : SIDE - 1;
        if (input.value === "" || Number(input.value) !== numbers[i]) input.value = numbers[i];
      });
    });
    how.value = now.how;
    turn.checked = now.turned;
    if (!digits) { if (failed) frame.show("The digits could not be loaded, so nothing can be measured here."); return; }
    const found = worked(now);
    const bar = barOf(found);
    const { both, each, accuracy } = countsOf(found.valid, bar);
    const shares = now.turned ? each : [each[1], each[0]]; // of the threes, of the sevens
    const pair = Math.abs(Math.trunc(Number(model.get("pair"))) || 0);
    shown.forEach((one, k) => {
      const image = k ? threes + (pair % sevens) : pair % threes;
      paintDigit(one, image, now);
      const value = found.values[image];
      const said = value > bar !== now.turned ? 7 : 3;
      one.says.textContent = `${written(value)}: it says ${said}, ${said === one.label ? "right" : "wrong"}`;
    });
    paintHills(found, bar, now.turned);
    hills.setAttribute("aria-label", `${now.turned ? "Threes" : "Sevens"} as columns upward, ${now.turned ? "sevens" : "threes"} downward, along what the rule measures, from ${written(found.valid.levels[0])} to ${written(found.valid.levels[found.valid.levels.length - 1])}`);
    const side = now.turned ? "up to" : "above";
    slider.setAttribute("aria-valuetext", `${written(bar)}: it says 7 ${side} that, ${grouped(both)} of ${grouped(total)} right`);
    best.disabled = bar === found.best;
    const rows = ranked(both);
    const rank = 1 + rows.filter(({ right }) => right > both).length;
    body.replaceChildren(...rows.map(({ name, right, own }) => make("tr", { className: own ? "psf-yours" : "" },
      make("td", { textContent: 1 + rows.filter((other) => other.right > right).length }), make("td", { textContent: own ? `▸ ${name}` : name }), make("td", { textContent: fixed(right / total, 4) }))));
    code.textContent = codeOf(now.parts[0], now.how, now.parts[1], now.turned, bar);
    frame.show(`It says 7 ${side} ${written(bar)}: right for ${grouped(both)} of ${grouped(total)} digits, ${fixed(accuracy, 4)} (3s ${fixed(shares[0], 4)}, 7s ${fixed(shares[1], 4)}), rank ${rank} of ${rows.length}.`
      + (found.roundRight > both + 20 ? ` Turned round, it would get ${grouped(found.roundRight)} right.` : ""));
  };
  const soon = framer(update);

  const to = (value) => { const { stops } = worked(state()).valid; set({ own: [stops[nearestStop(stops, value)]] }); };
  const ends = () => { const { stops } = worked(state()).valid; return [stops[0], stops[stops.length - 1]]; };
  const along = (share) => { const [first, last] = ends(); to(first + share * (last - first)); };
  slider.addEventListener("input", () => { if (digits) along(Number(slider.value)); });
  moveKeys(slider, {
    by: (steps) => { const { stops } = worked(state()).valid; set({ own: [stops[clamp(nearestStop(stops, barOf(made)) + steps, 0, stops.length - 1)]] }); },
    to: (end) => to(ends()[end === "first" ? 0 : 1]), get: () => model.get("own"), set: (own) => set({ own }),
  });
  dragX(hills, (share) => { if (digits && model.get("opened")) along(share); }, INSET);

  // Dragging on a digit: a window from corner to corner, a line or a pixel to where the pointer is
  for (const { canvas } of shown) {
    let from = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientY - box.top, event.clientX - box.left].map((v, axis) => clamp(Math.floor(((v - (axis ? canvas.clientLeft : canvas.clientTop)) * SIDE) / canvas.clientWidth), 0, SIDE - 1));
    };
    const drag = (event) => {
      const which = state().how === "alone" ? 0 : active;
      const [kind] = state().parts[which];
      const [row, column] = place(event);
      const numbers = { ink: () => [Math.min(from[0], row), Math.max(from[0], row) + 1, Math.min(from[1], column), Math.max(from[1], column) + 1], column: () => [column], row: () => [row], pixel: () => [row, column] }[kind]?.();
      if (numbers) set({ [names[which]]: checked([kind, ...numbers]) });
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0 || !model.get("opened")) return;
      canvas.setPointerCapture(event.pointerId);
      from = place(event);
      if (event.pointerType === "mouse") event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => { if (from && event.isPrimary) drag(event); });
    canvas.addEventListener("pointerup", (event) => { if (from) drag(event); from = null; });
    canvas.addEventListener("pointercancel", () => { from = null; });
  }

  const endings = [listen(model, ["first", "second", "how", "turned", "own", "pair", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  watched.observe(hills);
  update();
  (async () => {
    try {
      const bytes = await inflated(bytesOf(model.get("bits") || await window.pixelsimText(BITS)));
      const dark = darkOf(bytes);
      digits = { dark, corners: cornersOf(dark) };
    } catch { failed = true; }
    if (!closed) update();
  })();
  return () => { closed = true; for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
