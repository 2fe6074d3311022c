// The loupe: a digit and its numbers, linked; a slice as a frame to drag; and what a constant does to all pixels in eight bits.
import { clamp, control, digitsOf, field, fixed, frameOf, framer, grouped, listen, make, numberOf, setter, sliderOf, wholeOf } from "./figure.js";

const SIDE = 28;
const ZOOM = 10;
const MOST = 10; // rows and columns of numbers that are printed

// The pixels after what was written into them and what is added to all: as uint8 they wrap around, as floats they do not
export const worked = (pixels, edits, constant, kind) => {
  const values = Float64Array.from(pixels);
  for (const [row, column, value] of edits) values[row * SIDE + column] = value;
  return values.map((value) => (kind === "uint8" ? (((value + constant) % 256) + 256) % 256 : value + constant));
};

// Which of them wrap around
export const jumps = (pixels, edits, constant) => worked(pixels, edits, constant, "float").map((value) => Number(value < 0 || value > 255));

export const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// A gray for a value from 0 to 255; blue below that, red above
const colorOf = (value) => {
  const mixed = (full, to, share) => Math.round(full + (to - full) * Math.min(1, share));
  if (value < 0) return [33, 102, 172].map((to) => mixed(255, to, -value / 255));
  if (value > 255) return [178, 24, 43].map((to) => mixed(0, to, (value - 255) / 255));
  return Array(3).fill(255 - Math.round(value));
};
const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b > 118;

const fits = (edit) => Array.isArray(edit) && edit.length === 3 && edit.every(Number.isInteger) && edit.every((n, i) => n >= 0 && n <= (i < 2 ? SIDE - 1 : 255));

const render = ({ model, el }) => {
  const set = setter(model);
  const digits = digitsOf(model);
  const whole = (name, low, high) => wholeOf(model.get(name), low, high);
  const now = () => {
    const rows = whole("rows", 1, SIDE);
    const columns = whole("columns", 1, SIDE);
    const picked = model.get("picked");
    const constant = whole("constant", -255, 255);
    const kind = model.get("kind") === "float" ? "float" : "uint8";
    const { pixels } = digits[whole("which", 0, digits.length - 1)];
    const edits = model.get("edits").filter(fits);
    return { rows, columns, top: whole("top", 0, SIDE - rows), left: whole("left", 0, SIDE - columns), constant, kind, edits,
      picked: Array.isArray(picked) && picked.length === 2 && picked.every((n) => Number.isInteger(n) && n >= 0 && n < SIDE) ? picked : null,
      values: worked(pixels, edits, constant, kind), jumped: kind === "uint8" ? jumps(pixels, edits, constant) : new Float64Array(SIDE * SIDE) };
  };
  const asked = model.get("asked");
  const wraps = jumps(digits[0].pixels, [], asked).reduce((sum, one) => sum + one, 0);
  const sum = (constant) => `pixels ${constant < 0 ? "−" : "+"} ${Math.abs(constant)}`;

  const canvas = make("canvas", { className: "psf-loupe", width: SIDE * ZOOM, height: SIDE * ZOOM, attributes: { role: "img" } });
  const grid = make("table", { className: "psf-table psf-view", attributes: { role: "grid", "aria-label": "the numbers in the frame" } });
  const code = make("code", { className: "psf-code" });
  const many = make("p", { className: "psf-small" });
  const facts = make("p", { className: "psf-facts psf-veiled" });
  const range = (name, low, high, label) => sliderOf(low, high, label, () => model.get(name), (value) => set({ [name]: value }));
  const count = (name, label) => {
    const input = field({ type: "number", min: 1, max: SIDE, step: 1, attributes: { "aria-label": label } });
    input.addEventListener("input", () => { const n = Number(input.value); if (Number.isInteger(n) && n >= 1 && n <= SIDE) set({ [name]: n }); });
    return input;
  };
  const frameInputs = { top: range("top", 0, SIDE, "first row of the frame"), rows: count("rows", "rows"), left: range("left", 0, SIDE, "first column of the frame"), columns: count("columns", "columns") };
  const constant = range("constant", -255, 255, "add to every pixel");
  const added = make("span", { className: "psf-number" });
  const kinds = ["uint8", "float"].map((kind) => control("input", { type: "radio", value: kind, onchange: () => set({ kind }) }));
  const chooser = control("select", { onchange: () => set({ which: Number(chooser.value), edits: [] }) }, ...digits.map(({ name }, i) => make("option", { value: i, textContent: name })));
  const pixel = field({ type: "number", min: 0, max: 255, step: 1 });
  const pixelLabel = make("label", {}, make("span"), pixel);
  pixel.addEventListener("input", () => {
    const n = Number(pixel.value);
    const { picked, edits } = now();
    if (picked && pixel.value !== "" && Number.isInteger(n) && n >= 0 && n <= 255) set({ edits: [...edits.filter(([row, column]) => row !== picked[0] || column !== picked[1]), [...picked, n]] });
  });
  const reset = control("button", { type: "button", className: "psf-plain", textContent: "as it was", onclick: () => set({ constant: 0, edits: [], kind: "uint8" }) });

  const frame = frameOf({ model, el, title: "The loupe",
    ask: { text: `Type uint8. You calculate ${sum(asked)}. How many of the 784 pixels jump to the other end of the scale?`, truth: () => `${wraps} of the 784 pixels jump.`,
      say: (guess) => guess, fits: (guess) => numberOf(guess) !== null, mode: "numeric", complaint: "Type a whole number from 0 to 784." },
    stage: [make("div", { className: "psf-pair" }, canvas, make("div", { className: "psf-beside" }, code, many, make("div", { className: "psf-scroll" }, grid))), facts],
    controls: [
      make("div", { className: "psf-row" }, make("label", {}, "add to every pixel ", constant, added), ...kinds.map((radio) => make("label", {}, radio, ` ${radio.value}`)), reset),
      make("div", { className: "psf-row" }, make("label", {}, "digit ", chooser), pixelLabel),
      make("div", { className: "psf-row" }, make("span", { className: "psf-together" }, make("label", {}, "from row ", frameInputs.top), make("label", {}, frameInputs.rows, " rows")), make("span", { className: "psf-together" }, make("label", {}, "from column ", frameInputs.left), make("label", {}, frameInputs.columns, " columns"))),
    ],
    help: "Drag the frame over the digit, or set it below; point at a number to see its pixel. A dot in the picture and ↺ beside a number: this pixel has wrapped around. Blue is less than 0, red more than 255." });
  kinds.forEach((radio) => { radio.name = `${frame.id}-kind`; });

  let shape = "";
  let boxes = [];
  const walk = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { top, left, rows, columns, picked } = now();
    const [row, column] = picked ?? [top, left];
    const next = { ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], PageUp: [top, column], PageDown: [top + rows - 1, column],
      Home: [row, left], End: [row, left + columns - 1], Escape: [top, left] }[event.key];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    const to = [clamp(next[0], top, top + rows - 1), clamp(next[1], left, left + columns - 1)];
    set({ picked: to });
    update();
    boxes[(to[0] - top) * columns + to[1] - left].focus();
  };

  const paint = (state) => {
    const context = canvas.getContext("2d");
    state.values.forEach((value, i) => {
      const [x, y] = [(i % SIDE) * ZOOM, Math.floor(i / SIDE) * ZOOM];
      const color = colorOf(value);
      context.fillStyle = `rgb(${color})`;
      context.fillRect(x, y, ZOOM, ZOOM);
      if (!state.jumped[i]) return;
      context.fillStyle = light(color) ? "#b3261e" : "#ff8a80";
      context.fillRect(x + 4, y + 4, 2, 2);
    });
    const outline = (x, y, width, height, color, line) => {
      Object.assign(context, { strokeStyle: "#fff", lineWidth: line + 2 });
      context.strokeRect(x * ZOOM, y * ZOOM, width * ZOOM, height * ZOOM);
      Object.assign(context, { strokeStyle: color, lineWidth: line });
      context.strokeRect(x * ZOOM, y * ZOOM, width * ZOOM, height * ZOOM);
    };
    outline(state.left, state.top, state.columns, state.rows, "#0b57d0", 3);
    if (state.picked) outline(state.picked[1], state.picked[0], 1, 1, "#d40000", 2);
  };

  const update = () => {
    frame.lock();
    const state = model.get("opened") ? now() : { ...now(), constant: 0, values: Float64Array.from(digits[whole("which", 0, digits.length - 1)].pixels), jumped: new Float64Array(SIDE * SIDE) };
    const { rows, columns, top, left, picked, values, jumped, kind } = state;
    paint(state);
    code.textContent = `pixels[${top}:${top + rows}, ${left}:${left + columns}]`;
    const small = rows <= MOST && columns <= MOST;
    many.textContent = small ? `shape (${rows}, ${columns})` : `shape (${rows}, ${columns}): ${grouped(rows * columns)} numbers, too many to print here`;
    grid.hidden = !small;
    if (small) {
      if (shape !== `${rows},${columns}`) {
        shape = `${rows},${columns}`;
        boxes = Array.from({ length: rows * columns }, (_, i) => {
          const box = make("td", { className: "psf-square", attributes: { role: "gridcell", "data-lm-suppress-shortcuts": "true" } }, make("span"), make("small", { attributes: { "aria-label": "wrapped around" } }));
          const pick = () => { const { top: t, left: l } = now(); if (model.get("opened")) set({ picked: [t + Math.floor(i / columns), l + (i % columns)] }); };
          for (const kindOf of ["pointerenter", "click", "focus"]) box.addEventListener(kindOf, pick);
          box.addEventListener("keydown", walk);
          return box;
        });
        grid.replaceChildren(make("tbody", { attributes: { role: "rowgroup" } }, ...Array.from({ length: rows }, (_, r) => make("tr", { attributes: { role: "row" } }, ...boxes.slice(r * columns, (r + 1) * columns)))));
      }
      const at = picked && picked[0] >= top && picked[0] < top + rows && picked[1] >= left && picked[1] < left + columns ? (picked[0] - top) * columns + picked[1] - left : -1;
      boxes.forEach((box, i) => {
        const place = (top + Math.floor(i / columns)) * SIDE + left + (i % columns);
        const color = colorOf(values[place]);
        box.firstChild.textContent = values[place];
        box.lastChild.textContent = jumped[place] ? "↺" : "";
        box.lastChild.hidden = !jumped[place];
        box.style.backgroundColor = `rgb(${color})`;
        box.style.color = light(color) ? "#000" : "#fff";
        box.classList.toggle("psf-here", i === at);
        box.tabIndex = model.get("opened") && i === Math.max(0, at) ? 0 : -1;
      });
    } else shape = "";
    const wrapped = jumped.reduce((total, one) => total + one, 0);
    const mean = fixed(meanOf(values), 1);
    facts.textContent = `mean ${mean}, from ${Math.min(...values)} to ${Math.max(...values)}${kind === "uint8" ? `; ${wrapped} pixels wrapped around` : ""}`;
    for (const [name, input] of Object.entries(frameInputs)) {
      if (name === "top" || name === "left") input.max = SIDE - state[name === "top" ? "rows" : "columns"];
      if (input.value !== String(state[name])) input.value = state[name];
    }
    constant.value = state.constant;
    added.textContent = String(state.constant).replace("-", "−");
    for (const radio of kinds) radio.checked = radio.value === kind;
    chooser.value = whole("which", 0, digits.length - 1);
    pixelLabel.hidden = !picked;
    if (picked) {
      pixelLabel.firstChild.textContent = `write into pixel [${picked.join(", ")}] `;
      const own = state.edits.find(([row, column]) => row === picked[0] && column === picked[1])?.[2] ?? digits[whole("which", 0, digits.length - 1)].pixels[picked[0] * SIDE + picked[1]];
      if (pixel.getRootNode().activeElement !== pixel || Number(pixel.value) !== own) pixel.value = own;
    }
    canvas.setAttribute("aria-label", `${digits[whole("which", 0, digits.length - 1)].name}, 28 by 28 pixels, with a frame around rows ${top} to ${top + rows - 1} and columns ${left} to ${left + columns - 1}`);
    frame.show(`${state.constant ? sum(state.constant) : "pixels"} as ${kind}${state.constant && kind === "uint8" ? `: ${wrapped} of the 784 pixels have wrapped around` : ""}.`
      + (picked ? ` Pixel [${picked.join(", ")}] is ${values[picked[0] * SIDE + picked[1]]}.` : ""));
  };
  const soon = framer(update);

  let down = false;
  const drag = (event) => {
    if (!model.get("opened")) return;
    const box = canvas.getBoundingClientRect();
    const { rows, columns } = now();
    const at = (x, size, n) => clamp(Math.round((x / size) * SIDE - n / 2), 0, SIDE - n);
    set({ left: at(event.clientX - box.left, box.width, columns), top: at(event.clientY - box.top, box.height, rows) });
  };
  canvas.addEventListener("pointerdown", (event) => { if (event.isPrimary && event.button === 0) { down = true; canvas.setPointerCapture(event.pointerId); if (event.pointerType === "mouse") drag(event); } });
  canvas.addEventListener("pointermove", (event) => { if (down && event.isPrimary) drag(event); });
  canvas.addEventListener("click", drag);
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => { down = false; });

  const end = listen(model, ["which", "top", "left", "rows", "columns", "constant", "kind", "edits", "picked", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
