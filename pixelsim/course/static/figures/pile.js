// The pile: digits that go in and out of it, their mean and their median side by side, and the values of one pixel with both marked.
import { bytesOf, clamp, colorsOf, control, dragXY, fixed, frameOf, framer, grayOf, isPixel, listen, make, numberOf, onTheme, setter, sharp, sliderOf } from "./figure.js";

const SIDE = 28;
const ALL = SIDE * SIDE;
const ZOOM = 5;
const TALL = 104;
const INSET = 26;

// The mean of pixels from 0 to 255, as a share of 255, and the value in the middle: of two, the lower one, as torch.median has it
export const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / (255 * values.length);
export const medianOf = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] / 255;

// The positions that are in the pile, from what an address or Python may hold
export const inPile = (inside, count) => [...new Set(Array.isArray(inside) ? inside.filter((i) => Number.isInteger(i) && i >= 0 && i < count) : [])].sort((a, b) => a - b);

const render = ({ model, el }) => {
  const set = setter(model);
  const names = model.get("names");
  const presets = model.get("presets");
  const bytes = bytesOf(model.get("ink"));
  const count = names.length;
  const digits = names.map((_, i) => bytes.subarray(i * ALL, (i + 1) * ALL));
  const now = () => {
    const place = model.get("picked");
    const [row, column] = isPixel(place) ? place : [0, 0];
    const inside = inPile(model.get("inside"), count);
    return { row, column, inside, values: inside.map((i) => digits[i][row * SIDE + column]) };
  };
  const toggle = (i) => { const { inside } = now(); set({ inside: inside.includes(i) ? inside.filter((k) => k !== i) : inPile([...inside, i], count) }); };

  let reached = 0; // the digit that Tab leads to
  const thumbs = names.map((name, i) => {
    const picture = make("canvas", { className: "psf-thumb", width: SIDE, height: SIDE });
    const value = make("span", { className: "psf-value psf-veiled" });
    const button = control("button", { type: "button", onclick: () => { reached = i; toggle(i); } }, picture, value);
    const context = picture.getContext("2d");
    digits[i].forEach((ink, k) => { context.fillStyle = grayOf(ink / 255); context.fillRect(k % SIDE, Math.floor(k / SIDE), 1, 1); });
    return { button, value };
  });
  const bar = make("div", { className: "psf-thumbs", attributes: { role: "toolbar", "aria-label": "digits that go in or out of the pile" } }, ...thumbs.map(({ button }) => button));
  bar.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = { ArrowLeft: reached - 1, ArrowUp: reached - 1, ArrowRight: reached + 1, ArrowDown: reached + 1, Home: 0, End: count - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    reached = clamp(next, 0, count - 1);
    update();
    thumbs[reached].button.focus();
  });

  const pictures = ["mean", "median"].map((name) => make("canvas", { className: "psf-large psf-places", width: SIDE * ZOOM, height: SIDE * ZOOM, attributes: { role: "img", "data-name": name } }));
  const strip = make("canvas", { className: "psf-values-strip", attributes: { role: "img" } });
  const sorted = make("p", { className: "psf-sorted psf-small" });
  const facts = make("p", { className: "psf-facts psf-small" });
  const sliders = ["row", "column"].map((name, part) => {
    const place = () => { const { row, column } = now(); return [row, column]; };
    const input = sliderOf(0, SIDE - 1, `${name} of the pixel`, () => place()[part], (value) => set({ picked: place().map((old, i) => (i === part ? value : old)) }));
    return { input, number: make("span", { className: "psf-number" }) };
  });
  const chooser = control("select", { onchange: () => { if (chooser.value) set({ inside: presets[chooser.value].inside }); } },
    make("option", { value: "", textContent: "your own" }), ...presets.map(({ name }, i) => make("option", { value: i, textContent: name })));

  const asked = presets[0].inside.map((i) => digits[i][0]);
  const frame = frameOf({ model, el, title: "The pile",
    ask: { text: `In the pile are ${asked.length - 1} threes, whose corners are all paper, 0, and one in which ink and paper are swapped, so its corner is 1. The mean and the median are taken pixel by pixel. How dark is the corner of the median, from 0 to 1?`,
      truth: () => `The median's corner is ${fixed(medianOf(asked), 2)}: most of the ${asked.length} are paper, so the one in the middle is. The mean's is 1/${asked.length}, ${fixed(meanOf(asked), 2)}.`,
      say: (guess) => String(numberOf(guess)), fits: (guess) => numberOf(guess) !== null, mode: "decimal", complaint: "Type a number from 0 to 1, such as 0.5." },
    stage: [bar, make("div", { className: "psf-pair psf-veiled" },
      ...pictures.map((picture, k) => make("figure", { className: "psf-figure" }, picture, make("figcaption", { className: "psf-small", textContent: ["mean", "median"][k] }))),
      make("div", { className: "psf-beside psf-grow" }, strip, sorted, facts))],
    controls: [
      make("div", { className: "psf-row" }, make("label", {}, "pile ", chooser)),
      make("div", { className: "psf-row" }, make("span", { className: "psf-together" }, ...sliders.map(({ input, number }, part) => make("label", {}, ["pixel in row ", "column "][part], input, number)))),
    ],
    help: "Click a digit to put it into the pile or take it out; point at a pixel of the mean or the median to see the values that it was made of. By keys: the arrows go from digit to digit, the space bar puts it in or out." });

  // Mean and median of every pixel, made anew when the pile is another
  let made = { key: null };
  const middles = (inside) => {
    if (made.key === String(inside)) return made.images;
    const columns = Array.from({ length: inside.length ? ALL : 0 }, (_, i) => inside.map((digit) => digits[digit][i]));
    made = { key: String(inside), images: [meanOf, medianOf].map((middleOf) => columns.map(middleOf)) };
    return made.images;
  };
  const paint = ({ row, column, inside, values }) => {
    const images = middles(inside);
    pictures.forEach((picture, k) => {
      const context = picture.getContext("2d");
      context.clearRect(0, 0, SIDE * ZOOM, SIDE * ZOOM);
      images[k].forEach((ink, i) => {
        context.fillStyle = grayOf(ink);
        context.fillRect((i % SIDE) * ZOOM, Math.floor(i / SIDE) * ZOOM, ZOOM, ZOOM);
      });
      for (const [style, width] of [["#fff", 4], ["#d40000", 2]]) {
        Object.assign(context, { strokeStyle: style, lineWidth: width });
        context.strokeRect(column * ZOOM - 1, row * ZOOM - 1, ZOOM + 2, ZOOM + 2);
      }
    });
    const width = strip.clientWidth || 300;
    const colors = colorsOf(frame.root);
    const context = sharp(strip, width, TALL);
    const x = (share) => INSET + share * (width - 2 * INSET);
    Object.assign(context, { strokeStyle: colors.line, lineWidth: 1, fillStyle: colors.ink, font: "12px system-ui, sans-serif", textAlign: "center" });
    context.beginPath();
    context.moveTo(x(0), 74);
    context.lineTo(x(1), 74);
    context.stroke();
    for (const end of [0, 1]) context.fillText(end, x(end) + (end ? 14 : -14), 78);
    if (!values.length) return;
    const label = (text, share, y) => {
      const half = context.measureText(text).width / 2;
      context.fillText(text, clamp(x(share), half + 1, width - half - 1), y);
    };
    const [mean, median] = [meanOf(values), medianOf(values)];
    Object.assign(context, { strokeStyle: colors.ink, lineWidth: 2 });
    for (const [text, share, from, to, y, dash] of [["mean", mean, 16, 82, 12, []], ["median", median, 66, 90, 102, [3, 3]]]) {
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(x(share), from);
      context.lineTo(x(share), to);
      context.stroke();
      label(`${text} ${fixed(share, 2)}`, share, y);
    }
    context.setLineDash([]);
    const stacked = {};
    for (const value of values) {
      const place = Math.round(x(value / 255) / 5);
      const up = stacked[place] = (stacked[place] ?? -1) + 1;
      context.fillStyle = colors.mark;
      context.beginPath();
      context.arc(x(value / 255), 69 - up * Math.min(7, 50 / values.length), 3.4, 0, 7);
      context.fill();
      Object.assign(context, { strokeStyle: colors.paper, lineWidth: 1 });
      context.stroke();
    }
  };

  const update = () => {
    frame.lock();
    const state = now();
    const { row, column, inside, values } = state;
    paint(state);
    thumbs.forEach(({ button, value }, i) => {
      const is = inside.includes(i);
      const share = fixed(digits[i][row * SIDE + column] / 255, 2);
      button.className = `psf-digit ${is ? "psf-filled" : "psf-hollow psf-out"}`;
      button.setAttribute("aria-pressed", is);
      button.setAttribute("aria-label", `${names[i]}${model.get("opened") ? `, its pixel is ${share}` : ""}`);
      button.tabIndex = i === reached ? 0 : -1;
      value.textContent = share;
    });
    const order = [...values].sort((a, b) => a - b).map((value) => fixed(value / 255, 2));
    const middle = Math.floor((order.length - 1) / 2);
    sorted.replaceChildren(...(order.length ? ["sorted: ", order.slice(0, middle).join(" "), make("strong", { textContent: ` [${order[middle]}] ` }), order.slice(middle + 1).join(" ")] : ["no values"]));
    const inked = middles(inside).map((image) => image.filter((ink) => ink > 0).length);
    facts.textContent = `pixels with ink: ${inked[0]} in the mean, ${inked[1]} in the median`;
    strip.setAttribute("aria-label", `The values of the pixel from 0 to 1${order.length ? `: ${order.join(", ")}` : ""}`);
    pictures.forEach((picture, k) => picture.setAttribute("aria-label", inside.length ? `The ${["mean", "median"][k]} of ${inside.length} digits` : "An empty pile"));
    sliders.forEach(({ input, number }, part) => { input.value = number.textContent = [row, column][part]; });
    const preset = presets.findIndex((each) => String(inPile(each.inside, count)) === String(inside));
    chooser.value = preset < 0 ? "" : preset;
    frame.show(inside.length ? `${inside.length} in the pile. Pixel (${row}, ${column}): mean ${fixed(meanOf(values), 2)}, median ${fixed(medianOf(values), 2)}${values.length % 2 ? "" : ", the lower of the two in the middle"}.`
      : "The pile is empty, and nothing has no mean and no median.");
  };
  const soon = framer(update);
  for (const picture of pictures) {
    const pick = (x, y) => {
      const size = picture.clientWidth / SIDE;
      const picked = [y, x].map((n) => clamp(Math.floor(n / size), 0, SIDE - 1));
      if (model.get("opened") && String(picked) !== String(model.get("picked"))) set({ picked });
    };
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      if (event.pointerType === "mouse") pick(event.clientX - box.left - picture.clientLeft, event.clientY - box.top - picture.clientTop);
    });
    dragXY(picture, (x, y, event) => { if (event.type !== "pointerdown") pick(x, y); });
  }

  const endings = [listen(model, ["inside", "picked", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  watched.observe(strip);
  update();
  return () => { for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
