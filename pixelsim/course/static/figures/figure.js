// What all figures share: elements, numbers as Python prints them, keys, a question to guess at first, one sentence that says what is shown.
// A figure is a module that imports from here and exports `render`; pixelsim/course/figure.py joins the two for Jupyter, tools/widgets.py for a page.

export const make = (tag, properties = {}, ...children) => {
  const { attributes = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// An element that takes keys itself: without this mark JupyterLab takes arrows and letters as its shortcuts
export const control = (tag, properties = {}, ...children) => {
  const { attributes = {}, ...rest } = properties;
  return make(tag, { ...rest, attributes: { ...attributes, "data-lm-suppress-shortcuts": "true" } }, ...children);
};

// JupyterLab takes keys as its shortcuts, except from an element with that mark. Plain ones belong to the figure; those with Ctrl or Cmd,
// such as the one for saving, are left to JupyterLab. It listens at the document: be there first.
export const leaveCtrl = (root) => {
  const mark = ({ target, ctrlKey, metaKey }) => {
    if (root.contains(target)) target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
  };
  window.addEventListener("keydown", mark, true);
  return () => window.removeEventListener("keydown", mark, true);
};

// A field that one types into: its keys are its own, without Ctrl or Cmd
export const field = (properties) => {
  const input = control("input", properties);
  input.addEventListener("keydown", (event) => { if (!(event.ctrlKey || event.metaKey)) event.stopPropagation(); });
  return input;
};

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// What a trait holds as a whole number within bounds, since an address may hold anything; and whether it is row and column of a pixel
export const wholeOf = (value, low, high) => clamp(Math.trunc(Number(value)) || 0, low, high);
export const isPixel = (value) => Array.isArray(value) && value.length === 2 && value.every((n) => Number.isInteger(n) && n >= 0 && n < 28);

// A number with so many decimals, as Python's f"{x:.2f}" writes it: a tie goes to the even digit, where toFixed goes up
export const fixed = (x, decimals) => {
  const halves = Math.abs(x) * 2 ** (decimals + 1); // exact, and an odd whole number for a tie only
  if (!Number.isInteger(halves) || halves % 2 === 0 || halves * 5 ** decimals > 2 ** 52) return x.toFixed(decimals);
  const below = (halves * 5 ** decimals - 1) / 2;
  const digits = String(below + (below % 2)).padStart(decimals + 1, "0");
  return (x < 0 ? "-" : "") + (decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}` : digits);
};

export const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export const shapeText = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

// What someone typed, as a shape: a list of whole numbers, or null if it is none
export const shapeOf = (text) => {
  const inner = text.replace(/torch\.size/gi, "").trim().replace(/^[([]+|[)\]]+$/g, "").trim();
  if (!inner) return /^[([]\s*[)\]]$/.test(text.trim()) ? [] : null;
  const parts = inner.replace(/\s*[,;]\s*$/, "").split(/\s*[,;×x*\s]\s*/i);
  return parts.every((part) => /^\d{1,9}$/.test(part)) ? parts.map(Number) : null;
};

// What someone typed, as a number; null if it is none
export const numberOf = (text) => {
  const t = text.trim().replace(/[−–]/g, "-").replace(/\s*%$/, "").replace(/^(-?\d+),(\d+)$/, "$1.$2");
  return /^-?(\d+\.?\d*|\.\d+)$/.test(t) ? Number(t) : null;
};

export const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// Numbers in a base64 text, 4 or 8 bytes for each, the lowest first
export const floatsOf = (text, size) => {
  const bytes = bytesOf(text);
  const view = new DataView(bytes.buffer);
  const read = size === 4 ? "getFloat32" : "getFloat64";
  return Float64Array.from({ length: bytes.length / size }, (_, i) => view[read](i * size, true));
};

// The digits that a figure may show, by name, and the mean image of each class, one after the other in one text
export const digitsOf = (model) => model.get("digits").map(({ name, pixels }) => ({ name, pixels: bytesOf(pixels) }));
export const meansOf = (model) => {
  const { values, size } = model.get("means");
  const found = floatsOf(values, size);
  const classes = model.get("classes");
  const each = found.length / classes.length;
  return classes.map((_, k) => found.slice(k * each, (k + 1) * each));
};

// Call `work` once nothing has asked for it for a moment
export const settler = (work, pause = 250) => {
  let waiting = 0;
  const soon = (...args) => { clearTimeout(waiting); waiting = setTimeout(work, pause, ...args); };
  soon.stop = () => clearTimeout(waiting);
  return soon;
};

// Call `work` at the next frame, however often it is asked for
export const framer = (work) => {
  let frame = 0;
  const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; work(); }); };
  soon.stop = () => cancelAnimationFrame(frame);
  return soon;
};

// Keys that move a value, as the WAI-ARIA Authoring Practices have them for a slider; Escape gives back what was there when the focus came.
// `by(steps)` moves, `to("first" | "last")` goes to an end, `get` and `set` are for Escape. Ctrl, Cmd and Alt are left alone.
export const moveKeys = (element, { by, to, get, set }) => {
  let before = get();
  element.addEventListener("focus", () => { before = get(); });
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (steps) by(steps);
    else if (event.key === "Home" || event.key === "End") to(event.key === "Home" ? "first" : "last");
    else if (event.key === "Escape" && get() !== before) set(before);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
};

// A slider over whole numbers, by mouse, touch and keys; `get` is what it stands for, since the slider itself follows a frame later
export const sliderOf = (low, high, label, get, set) => {
  const input = control("input", { type: "range", min: low, max: high, step: 1, attributes: { "aria-label": label } });
  const go = (value) => set(clamp(value, Number(input.min), Number(input.max)));
  input.addEventListener("input", () => go(Number(input.value)));
  moveKeys(input, { by: (steps) => go(get() + steps), to: (end) => go(Number(end === "first" ? input.min : input.max)), get, set: go });
  return input;
};

// Drag along x: `at(x)` with x from 0 to 1 along the element, less `inset` pixels on either side
export const dragX = (element, at, inset = 0) => {
  let down = false;
  const tell = (event) => {
    const box = element.getBoundingClientRect();
    at(clamp((event.clientX - box.left - inset) / (box.width - 2 * inset), 0, 1), event);
  };
  element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0 || element.inert) return;
    down = true;
    element.setPointerCapture(event.pointerId);
    tell(event);
  });
  element.addEventListener("pointermove", (event) => { if (down && event.isPrimary) tell(event); });
  for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, () => { down = false; });
};

// Press, drag and click in both directions: `at(x, y, event)` in pixels from the top left of the element
export const dragXY = (element, at) => {
  let down = false;
  const tell = (event) => { const box = element.getBoundingClientRect(); at(event.clientX - box.left - element.clientLeft, event.clientY - box.top - element.clientTop, event); };
  element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    down = true;
    element.setPointerCapture(event.pointerId);
    tell(event);
  });
  element.addEventListener("pointermove", (event) => { if (down && event.isPrimary) tell(event); });
  for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, () => { down = false; });
  element.addEventListener("click", tell);
};

// Ink from 0 to 1 as a gray on white paper, a signed difference as red, white, blue
export const grayOf = (ink) => `rgb(${Array(3).fill(255 - Math.round(255 * clamp(ink, 0, 1)))})`;
export const signedOf = (difference) => `rgb(${(difference > 0 ? [178, 24, 43] : [33, 102, 172]).map((full) => Math.round(255 + (full - 255) * Math.min(1, Math.abs(difference))))})`;

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// The colors that the style gives a figure, by name, since a canvas does not inherit any
export const colorsOf = (root) => {
  const style = getComputedStyle(root);
  return Object.fromEntries(["paper", "ink", "soft", "line", "high", "low", "mark", "bad"].map((name) => [name, style.getPropertyValue(`--psf-${name}`).trim()]));
};

// The context of an empty canvas of this size on the page, sharp on any screen
export const sharp = (canvas, width, height) => {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) [canvas.width, canvas.height] = [width, height].map((length) => Math.round(length * scale));
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
};

// Call `work` when the page turns dark or light; returns what ends that
export const onTheme = (work) => {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(work);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true, attributeFilter: ["class", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"] });
  query.addEventListener("change", work);
  return () => { observer.disconnect(); query.removeEventListener("change", work); };
};

let figures = 0;

// The frame of a figure: question, what is drawn, the sentence, controls. Returns its parts, and what to call:
// `show(text)` has the sentence change and, once it has settled, heard; `lock()` follows the trait `opened`; `close()` is for the end.
export const frameOf = ({ model, el, title, ask, stage, controls, help }) => {
  figures += 1;
  const id = `psf-${figures}`;
  const says = make("p", { className: "psf-says", attributes: { role: "status" } });
  const locked = make("fieldset", { className: "psf-locked" }, make("legend", { className: "psf-unseen", textContent: title }), ...stage, says, ...controls);
  const question = make("div", { className: "psf-question" });
  const root = make("div", { className: "psf" }, question, locked, ...(help ? [make("p", { className: "psf-help", textContent: help })] : []));
  el.append(root);
  const leave = leaveCtrl(root);

  const speak = settler((text) => { says.setAttribute("aria-busy", "false"); if (says.textContent !== text) says.textContent = text; });
  const show = (text) => { says.setAttribute("aria-busy", "true"); speak(text); };

  const finish = (guess) => {
    model.set("guess", guess);
    model.set("opened", true);
    model.save_changes();
  };
  const asked = () => {
    const complaint = make("span", { className: "psf-complaint", id: `${id}-complaint`, attributes: { role: "alert" } });
    const choices = (ask.choices ?? []).map((text) => control("input", { type: "radio", name: `${id}-guess`, value: text }));
    const typed = field({ type: "text", size: 12, autocomplete: "off", spellcheck: false, inputMode: ask.mode ?? "text",
      attributes: { "aria-labelledby": `${id}-ask`, "aria-describedby": `${id}-complaint` } });
    const answer = () => (ask.choices ? choices.find((radio) => radio.checked)?.value : typed.value.trim());
    const form = make("form", { className: "psf-form", noValidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        const guess = answer();
        if (guess && (ask.choices || ask.fits(guess))) finish(guess);
        else { complaint.textContent = ask.choices ? "Choose one." : ask.complaint; (ask.choices ? choices[0] : typed).focus(); }
      } },
      ...(ask.choices ? choices.map((radio) => make("label", {}, radio, ` ${radio.value}`)) : [make("label", {}, typed, ask.unit ? ` ${ask.unit}` : "")]),
      control("button", { type: "submit", textContent: "Guess" }),
      control("button", { type: "button", className: "psf-plain", textContent: "just show me", onclick: () => finish("") }),
      complaint);
    // a screen's keys: Jupyter would take letters typed here as its shortcuts
    if (ask.choices) Object.entries({ role: "radiogroup", "aria-labelledby": `${id}-ask` }).forEach(([name, value]) => form.setAttribute(name, value));
    return form;
  };
  let shown = null;
  const lock = () => {
    const open = model.get("opened");
    locked.disabled = !open;
    locked.classList.toggle("psf-closed", !open);
    const text = open ? `${model.get("guess") ? `You guessed ${ask.say(model.get("guess"))}. ` : ""}${ask.truth()}` : null;
    if (shown === (text ?? "asked")) return;
    const focus = root.getRootNode().activeElement;
    const was = question.contains(focus);
    shown = text ?? "asked";
    question.replaceChildren(make("p", { className: "psf-ask", id: `${id}-ask`, textContent: ask.text }),
      open ? make("p", { className: "psf-truth", tabIndex: -1, textContent: text }) : asked());
    if (was && open) question.querySelector(".psf-truth").focus(); // or the focus would be lost with the form
  };
  return { id, root, question, locked, says, show, lock, close: () => { leave(); speak.stop(); } };
};

// Listen to some of a model's traits; returns what ends that
export const listen = (model, names, work) => {
  for (const name of names) model.on(`change:${name}`, work);
  return () => { for (const name of names) model.off(`change:${name}`, work); };
};

// Set traits from the screen: at once for other views, for Python and the address when it has settled
export const setter = (model) => {
  const save = settler(() => model.save_changes());
  const set = (values) => { for (const [name, value] of Object.entries(values)) model.set(name, value); save(); };
  set.stop = save.stop;
  return set;
};

// Remember a try at the question or exercise `key` in the trait `tries`, with the time in UTC
export const noteTry = (model, key, given, right) => {
  const tries = model.get("tries");
  const tried = { given, right, when: `${new Date().toISOString().slice(0, 19)}+00:00` };
  model.set("tries", { ...tries, [key]: [...(tries[key] ?? []), tried] });
  model.save_changes();
};

// The images of a set, on one picture of 64 columns: `draw(canvas, i)` paints image i once the picture is there, which is loaded when it is first asked for
export const SPRITE = 64;
export const spriteOf = (address, onLoad) => {
  if (!address) return null;
  const picture = new Image();
  picture.onload = onLoad;
  return (canvas, i) => {
    if (!picture.src) picture.src = address;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, 28, 28);
    if (picture.complete && picture.naturalWidth) context.drawImage(picture, (i % SPRITE) * 28, Math.floor(i / SPRITE) * 28, 28, 28, 0, 0, 28, 28);
  };
};

export const thumbOf = (properties = {}) => make("canvas", { className: "psf-thumb", width: 28, height: 28, ...properties });
