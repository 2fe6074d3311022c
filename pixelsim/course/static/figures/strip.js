// Shape and strides: one strip of memory, and the views that walk through it.
import { clamp, control, field, frameOf, framer, listen, make, setter, shapeOf, shapeText } from "./figure.js";

const WRITTEN = 99; // what is written into an element
const NAMES = ["i", "j", "k"];

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);
const rowMajor = (shape) => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

// A view: shape, strides and offset into one of the memories; memory 0 is the strip, others are copies
export const startOf = (values, shape) => ({ shape, strides: rowMajor(shape), offset: 0, memory: 0, memories: [values] });

// The places in memory of all elements, in reading order
export const placesOf = ({ shape, strides, offset }) => Array.from({ length: sizeOf(shape) }, (_, flat) => {
  let [rest, place] = [flat, offset];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place += (rest % shape[axis]) * strides[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
});

export const placeOf = ({ strides, offset }, index) => index.reduce((place, i, axis) => place + i * strides[axis], offset);

// The strides with which the same memory has another shape, or null if no strides do: ATen's computeStride
export const viewStrides = (shape, strides, wanted) => {
  if (!shape.length) return wanted.map(() => 1);
  const found = Array(wanted.length);
  let at = wanted.length - 1;
  let [base, chunk, seen] = [strides[strides.length - 1], 1, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    chunk *= shape[axis];
    if (axis > 0 && (shape[axis - 1] === 1 || strides[axis - 1] === chunk * base)) continue;
    while (at >= 0 && (seen < chunk || wanted[at] === 1)) {
      found[at] = seen * base;
      seen *= wanted[at];
      at -= 1;
    }
    if (seen !== chunk) return null;
    if (axis > 0) [base, chunk, seen] = [strides[axis - 1], 1, 1];
  }
  return at < 0 ? found : null;
};

const isContiguous = ({ shape, strides }) => {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== step) return false;
    step *= shape[axis];
  }
  return true;
};

const copied = (view, shape) => ({
  shape, strides: rowMajor(shape), offset: 0, memory: view.memories.length,
  memories: [...view.memories, placesOf(view).map((place) => view.memories[view.memory][place])],
});
const replaced = (list, axis, value) => list.map((old, i) => (i === axis ? value : old));
const without = (list, axis) => list.filter((_, i) => i !== axis);
const reshaped = (view, shape, mayCopy) => {
  const strides = viewStrides(view.shape, view.strides, shape);
  if (strides) return { ...view, shape, strides };
  return mayCopy ? copied(view, shape) : { error: "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead." };
};
const flat = (view) => [sizeOf(view.shape)];
const threeRows = (view) => [3, sizeOf(view.shape) / 3];

// What can be done: when it can, and what comes of it
export const OPERATIONS = {
  ".T": { fits: (v) => v.shape.length === 2, does: (v) => ({ ...v, shape: [...v.shape].reverse(), strides: [...v.strides].reverse() }) },
  "[1:]": { fits: (v) => v.shape[0] > 1, does: (v) => ({ ...v, shape: replaced(v.shape, 0, v.shape[0] - 1), offset: v.offset + v.strides[0] }) },
  "[1]": { fits: (v) => v.shape[0] > 1, does: (v) => ({ ...v, shape: without(v.shape, 0), strides: without(v.strides, 0), offset: v.offset + v.strides[0] }) },
  "[:, 1]": { fits: (v) => v.shape[1] > 1, does: (v) => ({ ...v, shape: without(v.shape, 1), strides: without(v.strides, 1), offset: v.offset + v.strides[1] }) },
  "[:, ::2]": { fits: (v) => v.shape.length > 1, does: (v) => ({ ...v, shape: replaced(v.shape, 1, Math.ceil(v.shape[1] / 2)), strides: replaced(v.strides, 1, 2 * v.strides[1]) }) },
  "[None]": { fits: (v) => v.shape.length < 3, does: (v) => ({ ...v, shape: [1, ...v.shape], strides: [v.shape.length ? v.shape[0] * v.strides[0] : 1, ...v.strides] }) },
  ".expand(3, -1)": { fits: (v) => v.shape.length === 1 || (v.shape.length === 2 && v.shape[0] === 1), does: (v) => ({ ...v, shape: [3, v.shape[v.shape.length - 1]], strides: [0, v.strides[v.strides.length - 1]] }) },
  ".flatten()": { fits: () => true, does: (v) => (v.shape.length === 1 ? v : reshaped(v, flat(v), true)) },
  ".view(-1)": { fits: () => true, does: (v) => reshaped(v, flat(v), false) },
  ".reshape(3, -1)": { fits: (v) => sizeOf(v.shape) % 3 === 0, does: (v) => reshaped(v, threeRows(v), true) },
  ".view(3, -1)": { fits: (v) => sizeOf(v.shape) % 3 === 0, does: (v) => reshaped(v, threeRows(v), false) },
  ".contiguous()": { fits: () => true, does: (v) => (isContiguous(v) ? v : copied(v, v.shape)) },
};

// What comes of one operation after the other; an operation that cannot be is left out, and one that is refused ends it
export const after = (values, shape, ops) => {
  let view = startOf(values, shape);
  const done = [];
  for (const op of ops) {
    if (!OPERATIONS[op]?.fits(view)) continue;
    done.push(op);
    const next = OPERATIONS[op].does(view);
    if (next.error) return { view, done, error: next.error };
    view = next;
  }
  return { view, done, error: "" };
};

const render = ({ model, el }) => {
  const set = setter(model);
  const [values, shape] = [model.get("values"), model.get("shape")];
  const asked = after(values, shape, model.get("asked"));
  const called = (ops) => `x${ops.join("")}`;
  const ask = model.get("ask");
  const same = (view) => (view.memory ? "a copy" : "the same memory");
  const list = (numbers) => shapeText(numbers);
  const typedShape = { fits: (guess) => shapeOf(guess) !== null, say: (guess) => shapeText(shapeOf(guess)), complaint: "Type numbers such as (4, 6)." };
  const asks = {
    shape: { text: `x has shape ${list(shape)}. Which shape has ${called(asked.done)}?`, truth: () => `It is ${list(asked.view.shape)}.`, ...typedShape },
    strides: { text: `x has shape ${list(shape)} and strides ${list(rowMajor(shape))}. Which strides has ${called(asked.done)}?`, truth: () => `They are ${list(asked.view.strides)}.`, ...typedShape },
    memory: { text: `Does ${called(asked.done)} look at the memory of x, or is it a copy?`, truth: () => `It is ${same(asked.view)}.`, choices: ["the same memory", "a copy"], say: (guess) => guess },
  };

  const code = make("code", { className: "psf-code" });
  const facts = make("p", { className: "psf-facts psf-veiled" });
  const trouble = make("p", { className: "psf-clash psf-veiled" });
  const grid = make("table", { className: "psf-table psf-view", attributes: { role: "grid", "aria-label": "the view" } });
  const strips = make("div", { className: "psf-strips" });
  const formula = make("p", { className: "psf-formula psf-veiled" });
  const buttons = Object.keys(OPERATIONS).map((op) => control("button", { type: "button", className: "psf-op", textContent: op, onclick: () => todo(op) }));
  const undo = control("button", { type: "button", className: "psf-plain", textContent: "take the last away", onclick: () => set({ ops: after(values, shape, model.get("ops")).done.slice(0, -1), index: [], wrote: false }) });
  const again = control("button", { type: "button", className: "psf-plain", textContent: "back to x", onclick: () => set({ ops: [], index: [], wrote: false }) });
  const write = control("button", { type: "button", textContent: `write ${WRITTEN} into it`, onclick: () => set({ wrote: !model.get("wrote") }) });
  const indices = NAMES.map((name, axis) => {
    const input = field({ type: "number", min: 0, step: 1, attributes: { "aria-label": `index along axis ${axis}` } });
    input.addEventListener("input", () => {
      const n = Number(input.value);
      const { view } = now();
      if (input.value !== "" && Number.isInteger(n) && n >= 0 && n < view.shape[axis]) set({ index: indexOf(view).map((old, i) => (i === axis ? n : old)), wrote: false });
    });
    return make("label", {}, `${name} `, input);
  });
  const now = () => after(values, shape, model.get("ops"));
  const indexOf = ({ shape: own }) => own.map((n, axis) => clamp(Math.trunc(Number(model.get("index")[axis])) || 0, 0, n - 1));
  const todo = (op) => set({ ops: [...now().done, op], index: [], wrote: false });

  const frame = frameOf({ model, el, title: "One strip of memory", ask: asks[ask] ?? asks.strides,
    stage: [code, facts, trouble, make("div", { className: "psf-scroll psf-veiled" }, grid), formula, strips],
    controls: [make("div", { className: "psf-row" }, ...buttons), make("div", { className: "psf-row" }, undo, again), make("div", { className: "psf-row" }, make("span", { textContent: "element" }), ...indices, write)],
    help: "Each square has its value, and small its place in memory. Point at an element of the view, walk there with the arrow keys, or type its index: it lights up in the strip." });

  const square = (tag, value, place, attributes = {}) => {
    const box = make(tag, { className: "psf-square", attributes }, make("span", { textContent: value }), make("small", { textContent: place }));
    box.style.backgroundColor = `rgb(${Array(3).fill(255 - value)})`;
    box.style.color = value > 136 ? "#fff" : "#000";
    return box;
  };
  const memoriesOf = (view, place) => view.memories.map((memory, k) => (model.get("wrote") && k === view.memory ? replaced(memory, place, WRITTEN) : memory));

  let drawn = "";
  let boxes = [];
  const walk = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { view } = now();
    const index = indexOf(view);
    const last = view.shape.length - 1;
    const step = (axis, by) => (axis < 0 ? index : replaced(index, axis, clamp(index[axis] + by, 0, view.shape[axis] - 1)));
    const next = { ArrowLeft: () => step(last, -1), ArrowRight: () => step(last, 1), ArrowUp: () => step(last - 1, -1), ArrowDown: () => step(last - 1, 1), PageUp: () => step(last - 1, -10), PageDown: () => step(last - 1, 10),
      Home: () => index.map(() => 0), End: () => view.shape.map((n) => n - 1), Escape: () => index.map(() => 0) }[event.key]?.();
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    set({ index: next, wrote: false });
    update();
    boxes[rowMajor(view.shape).reduce((sum, skip, axis) => sum + skip * next[axis], 0)].focus();
  };

  const update = () => {
    frame.lock();
    const { view, done, error } = now();
    const index = indexOf(view);
    const place = placeOf(view, index);
    const memories = memoriesOf(view, place);
    const places = placesOf(view);
    code.textContent = called(done);
    facts.textContent = error ? "" : `shape ${list(view.shape)}, strides ${list(view.strides)}, offset ${view.offset}, ${same(view)}`;
    trouble.hidden = !error;
    trouble.textContent = error && `RuntimeError: ${error}`;
    const key = JSON.stringify([done, memories]);
    if (key !== drawn) {
      const had = grid.contains(frame.root.getRootNode().activeElement);
      drawn = key;
      boxes = places.map((at, i) => {
        const box = square("td", memories[view.memory][at], at, { role: "gridcell", "data-lm-suppress-shortcuts": "true" });
        const own = rowMajor(view.shape).map((step, axis) => Math.floor(i / step) % view.shape[axis]);
        const pick = () => { if (String(indexOf(now().view)) !== String(own)) set({ index: own, wrote: false }); };
        for (const kind of ["pointerenter", "click", "focus"]) box.addEventListener(kind, pick);
        box.addEventListener("keydown", walk);
        return box;
      });
      const columns = view.shape.length ? view.shape[view.shape.length - 1] : 1;
      const rows = Array.from({ length: boxes.length / columns }, (_, r) => make("tr", { attributes: { role: "row" } }, ...boxes.slice(r * columns, (r + 1) * columns)));
      grid.replaceChildren(make("tbody", { attributes: { role: "rowgroup" } }, ...rows));
      strips.replaceChildren(...memories.filter((_, k) => k === 0 || k === view.memory).map((memory, k) => make("div", { className: k ? "psf-veiled" : "" },
        make("span", { className: "psf-small", textContent: k ? "the memory of the copy" : "the memory of x: one strip" }),
        make("div", { className: "psf-strip" }, ...memory.map((value, at) => square("span", value, at))))));
      if (had) boxes[0].focus();
    }
    const flatIndex = rowMajor(view.shape).reduce((sum, step, axis) => sum + step * index[axis], 0);
    boxes.forEach((box, i) => {
      box.classList.toggle("psf-here", i === flatIndex);
      box.tabIndex = model.get("opened") && i === flatIndex ? 0 : -1;
    });
    const used = new Set(places);
    [...strips.children].forEach((strip, k, all) => [...strip.lastChild.children].forEach((box, at) => {
      const mine = k === all.length - 1 && model.get("opened");
      box.classList.toggle("psf-here", mine && at === place);
      box.classList.toggle("psf-used", mine && used.has(at));
    }));
    const sum = [String(view.offset), ...view.strides.map((step, axis) => `${index[axis]}·${step}`)].join(" + ");
    formula.textContent = `element [${index.join(", ")}] is at place ${view.shape.length ? `${sum} = ` : ""}${place}, and is ${memories[view.memory][place]}`;
    indices.forEach((label, axis) => {
      const input = label.querySelector("input");
      label.hidden = axis >= view.shape.length;
      input.max = (view.shape[axis] ?? 1) - 1;
      if (Number(input.value) !== index[axis] || input.value === "") input.value = index[axis] ?? 0;
    });
    buttons.forEach((button) => { button.disabled = Boolean(error) || !OPERATIONS[button.textContent].fits(view); });
    undo.disabled = again.disabled = !done.length;
    write.setAttribute("aria-pressed", String(Boolean(model.get("wrote"))));
    frame.show(error ? `${called(done)} is refused: no strides describe that walk, and view never copies.`
      : `${called(done)} has shape ${list(view.shape)} and strides ${list(view.strides)}: ${same(view)}. Element [${index.join(", ")}] is at place ${place}.`
        + (model.get("wrote") ? ` ${WRITTEN} is written there: x ${view.memory ? "stays as it was" : "has changed with it"}.` : ""));
  };
  const soon = framer(update);
  const end = listen(model, ["ops", "index", "wrote", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
