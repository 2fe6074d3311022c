// Line up, stretch, or clash: two or three shapes under each other, what comes out, and in small cases the values.
import { control, field, fixed, frameOf, framer, grouped, listen, make, setter, shapeOf, shapeText } from "./figure.js";

const SIGNS = { "-": "−", "+": "+", "*": "×", "/": "/" };
const WORK = { "-": (x, y) => x - y, "+": (x, y) => x + y, "*": (x, y) => x * y, "/": (x, y) => x / y };
const LETTERS = ["a", "b", "c"];
const SCALES = [10, 1, 100]; // values that nobody gave: 10, 20, … in a, 1, 2, … in b, 100, 200, … in c
const SMALL = 36; // so many results are drawn one by one
const WIDE = 6;
const LARGEST = 10 ** 6; // of one axis
const RANK = 6;

export const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);

// What two shapes broadcast to; or the axis, counted from the left of the result, at which they clash: the last one, which PyTorch meets first
export const meet = (a, b) => {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((shape) => [...Array(rank - shape.length).fill(1), ...shape]);
  for (let axis = rank - 1; axis >= 0; axis--) {
    if (left[axis] !== right[axis] && left[axis] !== 1 && right[axis] !== 1) return { axis, sizes: [left[axis], right[axis]] };
  }
  return { shape: left.map((n, axis) => (n === 1 ? right[axis] : n)) };
};

// What shapes broadcast to, one after the other; `clashes` are the axes, counted from the right, that fit nowhere, and `words` is what PyTorch says
export const broadcastOf = (shapes) => {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const clashes = [];
  for (let back = 1; back <= rank; back++) {
    const sizes = new Set(shapes.map((shape) => shape[shape.length - back] ?? 1));
    sizes.delete(1);
    if (sizes.size > 1) clashes.push(-back);
  }
  let shape = shapes[0];
  for (const next of shapes.slice(1)) {
    const met = meet(shape, next);
    if (!met.shape) return { shape: null, clashes, words: `The size of tensor a (${met.sizes[0]}) must match the size of tensor b (${met.sizes[1]}) at non-singleton dimension ${met.axis}` };
    shape = met.shape;
  }
  return { shape, clashes, words: "" };
};

// Elements to skip in memory for one step along each axis of the result: 0 where a shape is stretched
export const stridesOf = (shape, result) => {
  const own = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  return result.map((n, axis) => {
    const at = axis - (result.length - shape.length);
    return at < 0 || (shape[at] === 1 && n !== 1) ? 0 : own[at];
  });
};

// For each element of the result, in reading order: where the element of this shape lies that it is made of
export const sourcesOf = (shape, result) => {
  const strides = stridesOf(shape, result);
  return Array.from({ length: sizeOf(result) }, (_, flat) => {
    let [rest, place] = [flat, 0];
    for (let axis = result.length - 1; axis >= 0; axis--) {
      place += (rest % result[axis]) * strides[axis];
      rest = Math.floor(rest / result[axis]);
    }
    return place;
  });
};

export const givenOr = (values, shapes) => shapes.map((shape, k) => values[k] ?? Array.from({ length: sizeOf(shape) }, (_, i) => (i + 1) * SCALES[k]));

export const resultsOf = (shapes, values, op, result) => {
  const parts = shapes.map((shape, k) => sourcesOf(shape, result).map((place) => values[k][place]));
  return parts.slice(1).reduce((sofar, part) => sofar.map((x, i) => WORK[op](x, part[i])), parts[0]);
};

export const written = (x) => (Number.isNaN(x) ? "nan" : !Number.isFinite(x) ? `${x < 0 ? "-" : ""}inf` : Number.isInteger(x) ? String(x + 0) : fixed(x, 3));

const plausible = (shapes) => Array.isArray(shapes) && shapes.length >= 2 && shapes.length <= 3
  && shapes.every((shape) => Array.isArray(shape) && shape.length <= RANK && shape.every((n) => Number.isInteger(n) && n >= 0 && n <= LARGEST));

const render = ({ model, el }) => {
  const set = setter(model);
  const asked = model.get("asked");
  const presets = model.get("presets");
  let last = asked;
  const shapes = () => { if (plausible(model.get("shapes"))) last = model.get("shapes"); return last; };
  const op = () => (model.get("op") in WORK ? model.get("op") : "-");
  const line = (given, sign) => given.map(shapeText).join(` ${SIGNS[sign]} `);
  const outcome = (given) => broadcastOf(given).shape;

  const table = make("table", { className: "psf-table psf-axes" });
  const memory = make("div", { className: "psf-veiled psf-small" });
  const grids = make("div", { className: "psf-grids psf-veiled" });
  const clash = make("p", { className: "psf-clash psf-veiled" });

  const typed = LETTERS.map((letter, k) => {
    const input = field({ type: "text", size: 13, autocomplete: "off", spellcheck: false });
    input.addEventListener("change", () => {
      const shape = shapeOf(input.value);
      const next = input.value.trim() === "" && k === 2 ? shapes().slice(0, 2) : shape && [...shapes().slice(0, k), shape, ...shapes().slice(k + 1)];
      if (next && plausible(next)) { wrong.textContent = ""; change(next); }
      else wrong.textContent = `A shape holds at most ${RANK} whole numbers, such as (1010, 28, 28); got ${input.value.trim() || "nothing"}.`;
    });
    return make("label", {}, `${letter} `, input);
  });
  const wrong = make("p", { className: "psf-complaint", attributes: { role: "alert" } });
  const change = (next) => set({ shapes: next, values: next.map((shape, k) => (String(shape) === String(shapes()[k]) ? model.get("values")[k] ?? null : null)), picked: -1 });

  const chooser = control("select", { onchange: () => { if (chooser.value) { const { shapes: given, op: sign, values } = presets[chooser.value]; set({ shapes: given, op: sign, values, picked: -1 }); } } },
    make("option", { value: "", textContent: "your own" }), ...presets.map(({ name }, i) => make("option", { value: i, textContent: name })));
  const signs = control("select", { onchange: () => set({ op: signs.value }) }, ...Object.entries(SIGNS).map(([sign, text]) => make("option", { value: sign, textContent: text })));

  const frame = frameOf({ model, el, title: "Line up, stretch, or clash",
    ask: {
      text: `What shape does ${line(asked, model.get("op"))} have? Type a shape such as (28, 28), or “error”.`,
      truth: () => (outcome(asked) ? `It is ${shapeText(outcome(asked))}.` : "It is an error: the shapes clash."),
      say: (guess) => (shapeOf(guess) ? shapeText(shapeOf(guess)) : "an error"),
      fits: (guess) => shapeOf(guess) !== null || /err|fail/i.test(guess), complaint: "Type a shape such as (28, 28), or the word error.",
    },
    stage: [make("div", { className: "psf-scroll" }, table), clash, grids],
    controls: [make("div", { className: "psf-row" }, make("label", {}, "Example ", chooser), make("label", {}, "operation ", signs)), make("div", { className: "psf-row" }, ...typed), wrong, memory],
    help: "A size in parentheses is a 1 that was put in on the left. A dashed cell is stretched: it takes no memory. Change a size in the table, or type whole shapes; an empty c is none." });

  // The table of axes is built anew for each set of ranks, so that a size can be stepped without losing the focus
  let built = "";
  let sizes = [];
  const build = () => {
    const now = shapes();
    const rank = Math.max(1, ...now.map((shape) => shape.length));
    if (built === now.map((shape) => shape.length).join()) return;
    built = now.map((shape) => shape.length).join();
    const axes = Array.from({ length: rank }, (_, i) => i - rank);
    sizes = now.map((shape, k) => axes.map((axis) => {
      const at = axis + shape.length;
      const cell = { below: make("span", { className: "psf-stretch psf-veiled" }), td: make("td") };
      if (at >= 0) {
        cell.input = field({ type: "number", min: 0, max: LARGEST, step: 1, attributes: { "aria-label": `${LETTERS[k]}, axis ${axis}` } });
        cell.input.addEventListener("input", () => {
          const n = Number(cell.input.value);
          if (cell.input.value === "" || !Number.isInteger(n) || n < 0 || n > LARGEST) return;
          const present = shapes();
          change(present.map((old, j) => (j === k ? old.map((size, i) => (i === at ? n : size)) : old)));
        });
      }
      cell.td.append(cell.input ?? make("span", { className: "psf-veiled", textContent: "(1)" }), cell.below);
      return cell;
    }));
    const results = axes.map(() => make("td", { className: "psf-veiled" }));
    sizes.results = results;
    table.replaceChildren(make("caption", { className: "psf-unseen", textContent: "The shapes, aligned at their last axes" }),
      make("thead", {}, make("tr", {}, make("td"), ...axes.map((axis) => make("th", { scope: "col", textContent: `axis ${axis}`.replace("-", "−") })))),
      make("tbody", {}, ...sizes.map((row, k) => make("tr", {}, make("th", { scope: "row", textContent: LETTERS[k] }), ...row.map(({ td }) => td))),
        make("tr", { className: "psf-result" }, make("th", { scope: "row", textContent: "result" }), ...results)));
  };

  // Small cases: every operand as it looks when stretched, and the result, one value in each cell
  let drawn = "";
  let cells = [];
  const grid = (name, result, texts, sources, isResult) => {
    const [rows, columns] = [result.length > 1 ? result[result.length - 2] : 1, result.length ? result[result.length - 1] : 1];
    const seen = new Set();
    const boxes = texts.map((text, i) => {
      const ghost = !isResult && seen.has(sources[i]);
      seen.add(sources?.[i]);
      return make("td", { className: ghost ? "psf-ghost" : "", textContent: text, attributes: isResult ? { role: "gridcell" } : {} });
    });
    const body = Array.from({ length: rows }, (_, r) => make("tr", isResult ? { attributes: { role: "row" } } : {}, ...boxes.slice(r * columns, (r + 1) * columns)));
    const element = make("table", { className: "psf-table psf-values", attributes: isResult ? { role: "grid", "aria-label": "result" } : {} }, make("caption", { textContent: name }), make("tbody", isResult ? { attributes: { role: "rowgroup" } } : {}, ...body));
    return { element, boxes };
  };
  const move = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { shape } = broadcastOf(shapes());
    const columns = shape[shape.length - 1] ?? 1;
    const n = sizeOf(shape);
    const at = Math.max(0, model.get("picked"));
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: n - 1, PageUp: at % columns, PageDown: n - columns + (at % columns), Escape: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") { set({ picked: -1 }); return; }
    if (next < 0 || next >= n) return;
    set({ picked: next });
    cells[cells.length - 1].boxes[next].focus();
  };
  const values = () => {
    const now = shapes();
    const { shape } = broadcastOf(now);
    const small = shape && shape.length <= 2 && sizeOf(shape) <= SMALL && sizeOf(shape) > 0 && shape.every((n) => n <= WIDE);
    grids.hidden = !small;
    if (!small) { drawn = ""; return; }
    const given = givenOr(model.get("values"), now);
    const key = JSON.stringify([now, given, op()]);
    if (key !== drawn) {
      drawn = key;
      const results = resultsOf(now, given, op(), shape);
      cells = now.map((own, k) => {
        const sources = sourcesOf(own, shape);
        return { sources, ...grid(`${LETTERS[k]} ${shapeText(own)}`, shape, sources.map((place) => written(given[k][place])), sources, false) };
      });
      const final = grid(`result ${shapeText(shape)}`, shape, results.map(written), null, true);
      final.boxes.forEach((box, i) => {
        box.setAttribute("data-lm-suppress-shortcuts", "true");
        box.addEventListener("pointerenter", () => set({ picked: i }));
        box.addEventListener("click", () => { set({ picked: i }); box.focus(); });
        box.addEventListener("focus", () => set({ picked: i }));
        box.addEventListener("keydown", move);
      });
      cells.push(final);
      grids.replaceChildren(...cells.flatMap(({ element }, k) => [element, ...(k < now.length ? [make("span", { className: "psf-sign", textContent: k < now.length - 1 ? SIGNS[op()] : "=", attributes: { "aria-hidden": "true" } })] : [])]));
    }
    const picked = model.get("picked");
    const known = picked >= 0 && picked < sizeOf(shape);
    cells.forEach(({ boxes, sources }) => boxes.forEach((box, i) => {
      box.classList.toggle("psf-lit", known && (sources ? sources[i] === sources[picked] : i === picked));
      if (!sources) box.tabIndex = model.get("opened") && i === (known ? picked : 0) ? 0 : -1;
    }));
    return known ? `Here ${now.map((_, k) => written(given[k][cells[k].sources[picked]])).join(` ${SIGNS[op()]} `)} = ${cells[now.length].boxes[picked].textContent}.` : "";
  };

  const update = () => {
    frame.lock();
    build();
    const now = shapes();
    const { shape, clashes, words } = broadcastOf(now);
    const rank = sizes[0].length;
    sizes.forEach((row, k) => row.forEach((cell, i) => {
      const axis = i - rank;
      const size = now[k][axis + now[k].length];
      const target = shape && shape[axis + shape.length];
      const bad = clashes.includes(axis);
      const stretched = !bad && (size ?? 1) === 1 && shape && target !== 1 && target !== undefined;
      if (cell.input && Number(cell.input.value) !== size) cell.input.value = size;
      cell.below.textContent = stretched ? `→ ${target}` : "";
      cell.td.className = `${stretched ? "psf-ghost" : ""} ${bad ? "psf-bad" : ""} ${cell.input ? "" : "psf-padded"}`;
      if (!cell.input) cell.td.firstChild.textContent = axis + Math.max(...now.map((s) => s.length)) >= 0 && rank <= Math.max(...now.map((s) => s.length)) ? "(1)" : "";
    }));
    sizes.results.forEach((td, i) => {
      const axis = i - rank;
      td.textContent = clashes.includes(axis) ? "✗ clash" : shape ? shape[axis + shape.length] ?? "" : "";
      td.classList.toggle("psf-bad", clashes.includes(axis));
    });
    clash.hidden = !words;
    clash.textContent = words && `RuntimeError: ${words}`;
    typed.forEach((label, k) => {
      const input = label.querySelector("input");
      if (input.getRootNode().activeElement !== input) input.value = now[k] ? shapeText(now[k]) : "";
    });
    signs.value = op();
    const preset = presets.findIndex((each) => JSON.stringify([each.shapes, each.op, each.values]) === JSON.stringify([now, op(), model.get("values")]));
    chooser.value = preset < 0 ? "" : preset;
    const numbers = (given) => grouped(sizeOf(given));
    memory.replaceChildren(...(shape ? [...now.map((own, k) => make("div", { textContent: `${LETTERS[k]}: ${numbers(own)} numbers in memory, walked with strides ${shapeText(stridesOf(own, shape))}${sizeOf(own) < sizeOf(shape) ? ": stretching it takes no memory" : ""}` })),
      make("div", { textContent: `result: ${numbers(shape)} new numbers, ${grouped(4 * sizeOf(shape))} bytes as float32` })] : []));
    const here = values() ?? "";
    frame.show(shape ? `${line(now, op())} has shape ${shapeText(shape)}. ${here}`.trim() : `${line(now, op())} is an error: axis ${clashes[0]} has sizes ${now.map((own) => own[own.length + clashes[0]] ?? 1).join(" and ")}, and they clash.`);
  };
  const soon = framer(update);
  const end = listen(model, ["shapes", "values", "op", "picked", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
