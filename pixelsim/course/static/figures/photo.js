// A photograph: a digit on gray paper, a shadow that falls on it, and what the classifier sees of it, shrunk or prepared.
import { control, digitsOf, fixed, frameOf, framer, listen, make, meansOf, setter, sliderOf, wholeOf } from "./figure.js";
import { DISTANCE } from "./distances.js";
import { likeMnist, resizedTo } from "./scans.js";

const SIDE = 28;
const [HIGH, WIDE, ZOOM, TOP, LEFT] = [300, 400, 5, 60, 90]; // the sheet, how large the digit is on it, and where
const [PAPER, INK] = [215, 40]; // grays
const DARKEST = 90; // the deepest shadow, in percent

// A photographed digit, grays from 0, black: a shadow makes the paper darker from left to right, at its right edge by that percentage
export const photographOf = (digit, shadow) => {
  const lit = Array.from(digit, (value) => PAPER - Math.floor((2 * (PAPER - INK) * value + 255) / 510));
  return Uint8Array.from({ length: HIGH * WIDE }, (_, at) => {
    const [row, column] = [Math.floor(at / WIDE), at % WIDE];
    const [y, x] = [Math.floor((row - TOP) / ZOOM), Math.floor((column - LEFT) / ZOOM)];
    const gray = y >= 0 && y < SIDE && x >= 0 && x < SIDE ? lit[y * SIDE + x] : PAPER;
    return Math.floor((gray * (100 * WIDE - shadow * column)) / (100 * WIDE));
  });
};

// What the classifier sees of a photograph
export const seenOf = (photograph, prepared) => {
  const inverted = photograph.map((gray) => 255 - gray);
  return prepared ? likeMnist(inverted, [HIGH, WIDE]) : { image: resizedTo(inverted, [HIGH, WIDE], [SIDE, SIDE]) };
};

const paint = (canvas, grays) => {
  const context = canvas.getContext("2d");
  const data = context.createImageData(canvas.width, canvas.height);
  grays.forEach((gray, i) => data.data.set([gray, gray, gray, 255], 4 * i));
  context.putImageData(data, 0, 0);
};

const render = ({ model, el }) => {
  const set = setter(model);
  const classes = model.get("classes");
  const digits = digitsOf(model);
  const means = meansOf(model);
  const now = () => ({ digit: digits[wholeOf(model.get("which"), 0, digits.length - 1)], shadow: wholeOf(model.get("shadow"), 0, DARKEST), prepared: model.get("prepared") === true });

  const sheet = make("canvas", { className: "psf-photo", width: WIDE, height: HIGH, attributes: { role: "img" } });
  const seen = make("canvas", { className: "psf-loupe psf-seen", width: SIDE, height: SIDE, attributes: { role: "img" } });
  const cells = classes.map(() => make("td"));
  const table = make("table", { className: "psf-table psf-veiled" }, make("caption", { textContent: "L1 distance of what the classifier sees" }),
    make("thead", {}, make("tr", {}, ...classes.map((label) => make("th", { scope: "col", textContent: `to the mean ${label}` })))), make("tbody", {}, make("tr", {}, ...cells)));
  const slider = sliderOf(0, DARKEST, "how much darker the paper is at the right edge, in percent", () => now().shadow, (shadow) => set({ shadow }));
  const much = make("span", { className: "psf-number" });
  const kinds = [["shrunk to 28 × 28", false], ["prepared like MNIST", true]].map(([text, prepared]) => ({ prepared, text, radio: control("input", { type: "radio", onchange: () => set({ prepared }) }) }));
  const chooser = control("select", { onchange: () => set({ which: Number(chooser.value) }) }, ...digits.map(({ name }, i) => make("option", { value: i, textContent: name })));

  const frame = frameOf({ model, el, title: "A photograph",
    ask: { text: "Photographed on evenly lit paper and prepared like MNIST's, 94 of 100 validation digits are right. Now a shadow falls on the paper: at its right edge it is 40% darker. How many of 100 are right?",
      truth: () => "50 of 100: every digit is called a 7. The dark edge is as far from the paper as faint ink, so it is taken for ink, and cut out together with the digit. With 30% nearly nothing happens.",
      say: (guess) => `${Number(guess)} of 100`, fits: (guess) => guess !== "" && Number(guess) >= 0 && Number(guess) <= 100, unit: "of 100", mode: "decimal", complaint: "Type a number from 0 to 100." },
    stage: [make("div", { className: "psf-pair" },
      make("figure", { className: "psf-plain-figure" }, sheet, make("figcaption", { className: "psf-small", textContent: "the photograph" })),
      make("figure", { className: "psf-plain-figure" }, seen, make("figcaption", { className: "psf-small", textContent: "what the classifier sees" }))), make("div", { className: "psf-tables" }, table)],
    controls: [
      make("div", { className: "psf-row" }, make("label", { className: "psf-long" }, "shadow at the right edge ", slider, much)),
      make("div", { className: "psf-row" }, ...kinds.map(({ radio, text }) => make("label", {}, radio, ` ${text}`)), make("label", {}, "digit ", chooser)),
    ],
    help: "The paper is light gray, the ink nearly black. Prepared means: the gray of most pixels is paper, what differs from it by a quarter of the blackest is ink, cut out, its longer side made 20 pixels, its center of ink put in the middle." });
  kinds.forEach(({ radio }) => { radio.name = `${frame.id}-kind`; });

  const update = () => {
    frame.lock();
    const { digit, shadow, prepared } = now();
    const photograph = photographOf(digit.pixels, shadow);
    paint(sheet, photograph);
    sheet.setAttribute("aria-label", `A photograph of ${digit.name}${shadow ? `, its paper ${shadow}% darker at the right edge` : ", evenly lit"}`);
    const { image, problem } = seenOf(photograph, prepared);
    paint(seen, (image ?? new Uint8Array(SIDE * SIDE)).map((ink) => 255 - ink));
    seen.setAttribute("aria-label", `What the classifier sees of it, ${prepared ? "prepared" : "shrunk"}`);
    slider.value = shadow;
    slider.setAttribute("aria-valuetext", `${shadow}%`);
    much.textContent = `${shadow}%`;
    for (const kind of kinds) kind.radio.checked = kind.prepared === prepared;
    chooser.value = wholeOf(model.get("which"), 0, digits.length - 1);
    const how = `The photograph of ${digit.name}, ${prepared ? "prepared" : "shrunk"}, with a shadow of ${shadow}%`;
    if (problem) {
      for (const cell of cells) { cell.textContent = "–"; cell.classList.remove("psf-right"); }
      frame.show(`${how}: ${problem}.`);
      return;
    }
    const own = Float64Array.from(image, (value) => value / 255);
    const far = means.map((mean) => DISTANCE.L1(own, mean));
    const order = far.map((_, k) => k).sort((a, b) => far[a] - far[b] || a - b);
    cells.forEach((cell, k) => { cell.textContent = fixed(far[k], 4); cell.classList.toggle("psf-right", k === order[0]); });
    frame.show(`${how}, is nearer to the mean ${classes[order[0]]}: ${fixed(far[order[0]], 4)} against ${fixed(far[order[1]], 4)}, ${fixed(100 * (1 - far[order[0]] / far[order[1]]), 0)}% nearer.`);
  };
  const soon = framer(update);
  const end = listen(model, ["which", "shadow", "prepared", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
