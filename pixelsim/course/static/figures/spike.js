// Spread or spike: one budget of difference that moves from many pixels into one, and what L1 and L2 say of it.
import { clamp, control, digitsOf, dragXY, field, fixed, frameOf, framer, grayOf, isPixel, listen, make, meansOf, numberOf, setter, sliderOf, wholeOf } from "./figure.js";
import { DISTANCE, KINDS } from "./distances.js";

const SIDE = 28;
const ALL = SIDE * SIDE;
const BUDGET = 28; // the differences of all pixels together
const COUNTS = [784, 392, 196, 98, 49, 28, 16, 8, 4, 2, 1]; // pixels that share it, at the stops of the slider
const ZOOM = 6;

// All pixels, those near a place first; those that are equally far, in reading order
export const orderFrom = ([row, column]) => {
  const far = Array.from({ length: ALL }, (_, i) => (Math.floor(i / SIDE) - row) ** 2 + ((i % SIDE) - column) ** 2);
  return far.map((_, i) => i).sort((a, b) => far[a] - far[b] || a - b);
};

// The digit, pixels from 0 to 255, as floats, once `count` pixels near the place have shared the budget: paper gets darker, ink lighter.
// Legal pixels stay from 0 to 1, and what has no room in them is left out.
export const spentOn = (pixels, place, count, legal) => {
  const image = Float64Array.from(pixels, (value) => value / 255);
  for (const i of orderFrom(place).slice(0, count)) {
    const room = Math.max(image[i], 1 - image[i]);
    image[i] += (image[i] < 0.5 ? 1 : -1) * (legal ? Math.min(BUDGET / count, room) : BUDGET / count);
  }
  return image;
};

// The stop of the slider that is nearest to a count, on a scale where each halving is as long as the next
export const stopOf = (count) => COUNTS.reduce((best, stop, i) => (Math.abs(Math.log(stop / count)) < Math.abs(Math.log(COUNTS[best] / count)) ? i : best), 0);

// Below 0 blue, above 1 red, the more the farther
const colorOf = (value) => {
  if (value >= 0 && value <= 1) return grayOf(value);
  const share = Math.min(1, 0.4 + (value < 0 ? -value : value - 1) * 0.3);
  return `rgb(${value < 0 ? [33, 102, 172].map((to) => Math.round(255 + (to - 255) * share)) : [178, 24, 43].map((to) => Math.round(to * share))})`;
};

const render = ({ model, el }) => {
  const set = setter(model);
  const classes = model.get("classes");
  const digits = digitsOf(model);
  const means = meansOf(model);
  const presets = model.get("presets");
  const whole = (name, low, high) => wholeOf(model.get(name), low, high);
  const now = () => {
    const place = model.get("place");
    return { digit: digits[whole("which", 0, digits.length - 1)], place: isPixel(place) ? place : presets[0].place, count: whole("count", 1, ALL), legal: model.get("legal") === true };
  };

  const canvas = make("canvas", { className: "psf-loupe psf-spike", width: SIDE * ZOOM, height: SIDE * ZOOM, attributes: { role: "img" } });
  const facts = make("p", { className: "psf-facts psf-veiled" });
  const meters = KINDS.map((kind) => {
    const bar = make("span", { className: "psf-meter" });
    const number = make("span", { className: "psf-number" });
    return { bar, number, row: make("div", { className: "psf-gauge psf-veiled" }, make("strong", { textContent: kind }), make("span", { className: "psf-track", attributes: { "aria-hidden": "true" } }, bar), number) };
  });
  const cells = KINDS.map(() => [make("td"), make("td"), make("td")]);
  const table = make("table", { className: "psf-table psf-veiled" }, make("caption", { textContent: "How far the spoiled digit is from the means" }),
    make("thead", {}, make("tr", {}, make("td"), ...[...classes.map((label) => `to the mean ${label}`), "nearer"].map((text) => make("th", { scope: "col", textContent: text })))),
    make("tbody", {}, ...KINDS.map((kind, k) => make("tr", {}, make("th", { scope: "row", textContent: kind }), ...cells[k]))));

  const at = () => stopOf(now().count);
  const slider = sliderOf(0, COUNTS.length - 1, "from many pixels to one", at, (stop) => set({ count: COUNTS[stop] }));
  const many = make("span", { className: "psf-number" });
  const kinds = [["any value", false], ["only 0 to 1", true]].map(([text, legal]) => ({ legal, text, radio: control("input", { type: "radio", onchange: () => set({ legal }) }) }));
  const chooser = control("select", { onchange: () => set({ which: Number(chooser.value) }) }, ...digits.map(({ name }, i) => make("option", { value: i, textContent: name })));
  const spots = control("select", { onchange: () => { if (spots.value) set({ place: presets[spots.value].place }); } },
    make("option", { value: "", textContent: "elsewhere" }), ...presets.map(({ name }, i) => make("option", { value: i, textContent: name })));
  const inputs = ["row", "column"].map((name, part) => {
    const input = field({ type: "number", min: 0, max: SIDE - 1, step: 1, attributes: { "aria-label": `${name} of the pixel that is left` } });
    input.addEventListener("input", () => {
      const n = Number(input.value);
      if (input.value !== "" && Number.isInteger(n) && n >= 0 && n < SIDE) set({ place: now().place.map((old, i) => (i === part ? n : old)) });
    });
    return input;
  });

  const frame = frameOf({ model, el, title: "Spread or spike",
    ask: { text: "Every one of the 784 pixels is off by 1/28, so L1 and L2 are both 1/28, 0.0357. Now the same difference goes into one single pixel, which is off by 28, and all others are right again. L1 is still 0.0357. How many times as large is L2?",
      truth: () => "28 times: L2 is now 1. The one difference is squared before the mean is taken, and 28 × 28 is 784.",
      say: (guess) => `${numberOf(guess)} times`, fits: (guess) => numberOf(guess) !== null, unit: "times", mode: "decimal", complaint: "Type a number, such as 2." },
    stage: [make("div", { className: "psf-pair" }, canvas, make("div", { className: "psf-beside" }, facts, make("p", { className: "psf-small psf-veiled", textContent: "How far the digit is from what it was" }), ...meters.map(({ row }) => row))), make("div", { className: "psf-tables" }, table)],
    controls: [
      make("div", { className: "psf-row" }, make("label", { className: "psf-long" }, "pixels that share it ", slider, many)),
      make("div", { className: "psf-row" }, ...kinds.map(({ radio, text }) => make("label", {}, radio, ` ${text}`)), make("label", {}, "digit ", chooser)),
      make("div", { className: "psf-row" }, make("label", {}, "around ", spots), make("span", { className: "psf-together" }, "pixel (", make("label", {}, inputs[0]), ",", make("label", {}, inputs[1]), ")")),
    ],
    help: "Where there is paper, the difference is added, where there is ink, it is taken away. Red is more than 1, blue less than 0. The frame is around the pixel that is left at the end: drag it elsewhere." });
  kinds.forEach(({ radio }) => { radio.name = `${frame.id}-kind`; });

  const paint = (image, [row, column]) => {
    const context = canvas.getContext("2d");
    image.forEach((value, i) => {
      context.fillStyle = colorOf(value);
      context.fillRect((i % SIDE) * ZOOM, Math.floor(i / SIDE) * ZOOM, ZOOM, ZOOM);
    });
    for (const [style, width] of [["#fff", 4], ["#0b57d0", 2]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: width });
      context.strokeRect(column * ZOOM - 2, row * ZOOM - 2, ZOOM + 4, ZOOM + 4);
    }
  };

  const update = () => {
    frame.lock();
    const { digit, place, count, legal } = now();
    const was = Float64Array.from(digit.pixels, (value) => value / 255);
    const open = model.get("opened");
    const image = open ? spentOn(digit.pixels, place, count, legal) : was;
    paint(image, place);
    canvas.setAttribute("aria-label", `${digit.name}${open ? `, spoiled in ${count} ${count === 1 ? "pixel" : "pixels"} around (${place.join(", ")})` : ""}`);
    const spent = image.reduce((sum, x, i) => sum + Math.abs(x - was[i]), 0);
    const own = KINDS.map((kind) => DISTANCE[kind](image, was));
    const far = KINDS.map((kind) => means.map((mean) => DISTANCE[kind](image, mean)));
    const wins = far.map(([first, second]) => classes[Number(second < first)]);
    facts.textContent = `${count} ${count === 1 ? "pixel" : "pixels"}, ${legal ? "up to " : ""}${fixed(BUDGET / count, 4)} each; values from ${fixed(Math.min(...image), 2)} to ${fixed(Math.max(...image), 2)}`;
    meters.forEach(({ bar, number }, k) => {
      bar.style.width = `${100 * clamp(own[k], 0, 1)}%`;
      number.textContent = fixed(own[k], 4);
      cells[k].forEach((cell, j) => {
        cell.textContent = j < 2 ? fixed(far[k][j], 4) : wins[k];
        cell.classList.toggle("psf-right", j === 2 || classes[j] === wins[k]);
      });
    });
    const words = `${count} ${count === 1 ? "pixel" : "pixels"}`;
    slider.value = at();
    slider.setAttribute("aria-valuetext", `${words}: L1 ${fixed(own[0], 4)}, L2 ${fixed(own[1], 4)}`);
    many.textContent = count;
    for (const kind of kinds) kind.radio.checked = kind.legal === legal;
    chooser.value = whole("which", 0, digits.length - 1);
    const spot = presets.findIndex((each) => String(each.place) === String(place));
    spots.value = spot < 0 ? "" : spot;
    inputs.forEach((input, part) => { if (Number(input.value) !== place[part] || input.value === "") input.value = place[part]; });
    const left = BUDGET - spent;
    frame.show(`Shared by ${words}: L1 ${fixed(own[0], 4)}, L2 ${fixed(own[1], 4)}, which is ${fixed(own[1] / own[0], 2)} times as large.`
      + (left > 0.05 ? ` There is no room for ${fixed(left, 1)} of the 28: a pixel from 0 to 1 cannot be off by more.` : "")
      + ` Nearer by L1: the mean ${wins[0]}; by L2: the mean ${wins[1]}.`);
  };
  const soon = framer(update);
  dragXY(canvas, (x, y, event) => {
    if (!model.get("opened") || (event.type === "pointerdown" && event.pointerType !== "mouse")) return;
    const zoom = canvas.clientWidth / SIDE;
    set({ place: [y, x].map((n) => clamp(Math.floor(n / zoom), 0, SIDE - 1)) });
  });
  const end = listen(model, ["which", "place", "count", "legal", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
