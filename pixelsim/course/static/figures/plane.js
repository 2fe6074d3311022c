// Two pixels, two borders: digits as points in the plane of two of their pixels, and the side of each mean by L1 and by L2.
import { bytesOf, clamp, colorsOf, control, dragXY, field, fixed, frameOf, framer, grayOf, isPixel, listen, make, meansOf, onTheme, setter, sharp, signedOf, sliderOf, wholeOf } from "./figure.js";
import { DISTANCE, KINDS } from "./distances.js";

const SIDE = 28;
const ALL = SIDE * SIDE;
const PAD = { left: 46, right: 20, top: 20, bottom: 52 };
const SAME = 1e-12; // two distances that differ by less are a tie

// Which of two means is nearer: 0 or 1, or -1 if neither is
export const nearer = ([first, second]) => (Math.abs(first - second) < SAME ? -1 : Number(second < first));

// Where the border crosses the column x of the plane, and which mean is nearer below that; Infinity or -Infinity if it does not.
// |y - a| - |y - b| goes only up or only down in y, and so do the squares, so there is one crossing at most.
export const crossing = ([[ax, ay], [bx, by]], x, kind) => {
  if (Math.abs(ax - bx) < SAME && Math.abs(ay - by) < SAME) return { y: Infinity, below: -1 };
  const across = kind === "L1" ? Math.abs(x - ax) - Math.abs(x - bx) : (x - ax) ** 2 - (x - bx) ** 2; // above 0: b is nearer, as far as x goes
  if (Math.abs(ay - by) < SAME) return { y: Infinity, below: Number(across > 0) };
  const below = Number(by < ay);
  const y = kind === "L1" ? (ay + by + across * (ay < by ? -1 : 1)) / 2 : (by ** 2 - ay ** 2 - across) / (2 * (by - ay));
  if (kind === "L1" && (y < Math.min(ay, by) || y > Math.max(ay, by))) return { y: Infinity, below: Number(across > 0) };
  return { y, below };
};

// How many points are nearer to the mean of their own class; a tie counts for the first
export const rightOf = (points, own, means, kind) => points.filter((point, i) => Math.max(0, nearer(means.map((mean) => DISTANCE[kind](point, mean)))) === own[i]).length;

const plausible = (pixels) => Array.isArray(pixels) && pixels.length === 2 && String(pixels[0]) !== String(pixels[1]) && pixels.every(isPixel);

const render = ({ model, el }) => {
  const set = setter(model);
  const classes = model.get("classes");
  const own = model.get("own");
  const bytes = bytesOf(model.get("ink"));
  const means = meansOf(model);
  const presets = model.get("presets");
  const digits = own.map((_, i) => Float64Array.from(bytes.subarray(i * ALL, (i + 1) * ALL), (value) => value / 255));
  const nameOf = (i) => `valid[${classes[own[i]]}][${own.slice(0, i).filter((k) => k === own[i]).length}]`;
  const count = digits.length;
  let last = presets[0].pixels;
  const pixelsNow = () => { if (plausible(model.get("pixels"))) last = model.get("pixels"); return last; };
  const placesOf = (pixels) => pixels.map(([row, column]) => row * SIDE + column);
  const now = () => {
    const pixels = pixelsNow();
    const places = placesOf(pixels);
    const digit = wholeOf(model.get("digit"), 0, count - 1);
    const moved = model.get("moved");
    const is = places.map((place) => bytes[digit * ALL + place]);
    const at = Array.isArray(moved) && moved.length === 2 && moved.every((n) => Number.isInteger(n) && n >= 0 && n <= 255) ? moved : is;
    const image = Float64Array.from(digits[digit]);
    places.forEach((place, k) => { image[place] = at[k] / 255; });
    return { pixels, places, digit, at, image, point: at.map((n) => n / 255), twoMeans: means.map((mean) => places.map((place) => mean[place])), wasMoved: String(at) !== String(is) };
  };
  const written = ([row, column]) => `(${row}, ${column})`;
  const said = (k) => (k < 0 ? "neither mean" : `the mean ${classes[k]}`);

  const planes = KINDS.map((kind) => make("canvas", { className: "psf-plane", attributes: { role: "img", "data-kind": kind } }));
  const captions = KINDS.map((kind) => make("figcaption", {}, make("strong", { textContent: kind }), make("span", { className: "psf-veiled" })));
  const picture = make("canvas", { className: "psf-large", width: 140, height: 140, attributes: { role: "img" } });
  const differing = make("canvas", { className: "psf-large psf-places", width: 140, height: 140, attributes: { role: "img" } });
  const cells = [];
  const table = make("table", { className: "psf-table psf-veiled" }, make("caption", { textContent: "How far the digit is" }),
    make("thead", {}, make("tr", {}, make("td"), ...[...classes.map((label) => `to the mean ${label}`), "nearer"].map((text) => make("th", { scope: "col", textContent: text })))),
    make("tbody", {}, ...[[0, "two pixels"], [1, "all 784"]].flatMap(([whole, words]) => KINDS.map((kind) => {
      const row = { whole, kind, boxes: [make("td"), make("td"), make("td")] };
      cells.push(row);
      return make("tr", {}, make("th", { scope: "row", textContent: `${kind}, ${words}` }), ...row.boxes);
    }))));

  const choose = (digit) => set({ digit, moved: [] });
  const chooser = sliderOf(0, count - 1, "digit", () => now().digit, choose);
  const chosen = make("span", { className: "psf-number" });
  const back = control("button", { type: "button", className: "psf-plain", textContent: "as it was", onclick: () => set({ moved: [] }) });
  const sliders = ["across", "up"].map((way, k) => sliderOf(0, 255, `value of the pixel ${way}`, () => now().at[k], (value) => set({ moved: now().at.map((n, j) => (j === k ? value : n)) })));
  const shown = sliders.map(() => make("span", { className: "psf-number" }));
  const inputs = ["across", "up"].map((way, k) => ["row", "column"].map((name, part) => {
    const input = field({ type: "number", min: 0, max: SIDE - 1, step: 1, attributes: { "aria-label": `${name} of the pixel ${way}` } });
    input.addEventListener("input", () => {
      const n = Number(input.value);
      const next = pixelsNow().map((pixel, j) => pixel.map((old, i) => (j === k && i === part ? n : old)));
      if (input.value !== "" && plausible(next)) set({ pixels: next, moved: [] });
    });
    return input;
  }));
  const examples = control("select", { onchange: () => { if (examples.value) set({ pixels: presets[examples.value].pixels, moved: [] }); } },
    make("option", { value: "", textContent: "your own" }), ...presets.map(({ name }, i) => make("option", { value: i, textContent: name })));

  const frame = frameOf({ model, el, title: "Two pixels, two borders",
    ask: { text: `Only two pixels count, so every digit is a point in a plane. On one side lie the points that are nearer to the mean ${classes[0]}, on the other those nearer to the mean ${classes[1]}. For which distance is the border a straight line?`,
      truth: () => "The border of L2 is straight: it cuts the way from mean to mean in half, at a right angle. That of L1 has corners.",
      choices: ["L1", "L2", "both", "neither"], say: (guess) => guess },
    stage: [make("div", { className: "psf-planes" }, ...planes.map((plane, k) => make("figure", { className: "psf-figure" }, captions[k], plane)))],
    controls: [
      make("div", { className: "psf-row" }, make("label", {}, "digit ", chooser, chosen), back),
      ...["across", "up"].map((way, k) => make("div", { className: "psf-row" }, make("span", { className: "psf-together" }, `${way}: pixel (`, make("label", {}, inputs[k][0]), ",", make("label", {}, inputs[k][1]), ")"), make("label", {}, "value ", sliders[k], shown[k]))),
      make("div", { className: "psf-row" }, make("label", {}, "pixels ", examples)),
      make("div", { className: "psf-tables" }, table,
        make("div", { className: "psf-near" }, make("figure", { className: "psf-figure" }, picture, make("figcaption", { className: "psf-small", textContent: "the digit" })),
          make("figure", { className: "psf-figure" }, differing, make("figcaption", { className: "psf-small", textContent: `mean ${classes[0]} − mean ${classes[1]}` })))),
    ],
    help: `Drag the large mark, or take another digit by a click on its mark. Round marks are ${classes[0]}s, square ones ${classes[1]}s; a hollow one lies on the wrong side. Marks that would hide each other stand a little apart. The dashed line is the border of the other distance. On the red and blue picture, drag a frame to choose another pixel.` });

  // Marks that lie in one place stand around it
  let spread = { key: "" };
  const layOut = (places) => {
    if (spread.key === String(places)) return spread;
    const before = {};
    const points = digits.map((digit) => places.map((place) => digit[place]));
    const offsets = points.map((point) => {
      const cell = point.map((x) => Math.round(x * 16)).join();
      const k = before[cell] = (before[cell] ?? -1) + 1;
      return [3.4 * Math.sqrt(k) * Math.cos(2.4 * k), 3.4 * Math.sqrt(k) * Math.sin(2.4 * k)];
    });
    spread = { key: String(places), points, offsets };
    return spread;
  };
  const roomOf = (canvas) => {
    const length = canvas.clientWidth || 300;
    const x = (value) => PAD.left + value * (length - PAD.left - PAD.right);
    const y = (value) => PAD.top + (1 - value) * (length - PAD.top - PAD.bottom);
    return { length, x, y };
  };

  const paintPlane = (canvas, kind, state, open) => {
    const { length, x, y } = roomOf(canvas);
    const colors = colorsOf(frame.root);
    const context = sharp(canvas, length, length);
    const scale = window.devicePixelRatio || 1;
    const { twoMeans } = state;
    const [left, right, top, bottom] = [x(0), x(1), y(1), y(0)];
    if (open) {
      const steps = Math.round((right - left) * scale);
      context.globalAlpha = 0.2;
      for (let i = 0; i < steps; i++) {
        const { y: cut, below } = crossing(twoMeans, (i + 0.5) / steps, kind);
        const edge = y(clamp(cut, 0, 1));
        for (const [from, to, side] of [[edge, bottom, below], [top, edge, 1 - below]]) {
          if (below < 0 || to <= from) continue;
          context.fillStyle = side ? colors.low : colors.high;
          context.fillRect(left + i / scale, from, 1 / scale, to - from);
        }
      }
      context.globalAlpha = 1;
      for (const each of KINDS) {
        context.beginPath();
        let before = null;
        for (let i = 0; i <= 400; i++) {
          const { y: cut, below } = crossing(twoMeans, i / 400, each);
          if (below < 0) break;
          // a column without a border lies wholly on one side: as if the border were above it or beneath it
          const rising = twoMeans[1][1] < twoMeans[0][1] ? 1 : 0;
          const height = Number.isFinite(cut) ? clamp(cut, 0, 1) : Number(below === rising);
          const place = [left + (i / 400) * (right - left), y(height)];
          const clipped = height === 0 || height === 1 ? height : null;
          if (!before || (clipped !== null && clipped === before.clipped)) context.moveTo(...place);
          else context.lineTo(...place);
          before = { clipped };
        }
        context.setLineDash(each === kind ? [] : [3, 4]);
        Object.assign(context, { strokeStyle: each === kind ? colors.ink : colors.soft, lineWidth: each === kind ? 2 : 1.5 });
        context.stroke();
      }
      context.setLineDash([]);
    }
    Object.assign(context, { strokeStyle: colors.soft, lineWidth: 1, font: "12px system-ui, sans-serif", fillStyle: colors.ink, textAlign: "center" });
    context.strokeRect(left, top, right - left, bottom - top);
    for (const value of [0, 1]) {
      context.fillText(value, x(value), bottom + 26);
      context.fillText(value, left - 26, y(value) + 4);
    }
    context.fillText(`pixel ${written(state.pixels[0])} →`, (left + right) / 2, bottom + 42);
    context.save();
    context.translate(14, (top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(`pixel ${written(state.pixels[1])} →`, 0, 0);
    context.restore();

    const mark = (k, px, py, radius, filled, color) => {
      context.beginPath();
      if (k) context.rect(px - radius, py - radius, 2 * radius, 2 * radius);
      else context.arc(px, py, radius, 0, 7);
      Object.assign(context, { fillStyle: filled ? color : colors.paper, strokeStyle: color, lineWidth: 1.3 });
      context.fill();
      context.stroke();
    };
    const sideOf = (point) => Math.max(0, nearer(twoMeans.map((mean) => DISTANCE[kind](point, mean))));
    const { points, offsets } = layOut(state.places);
    points.forEach((point, i) => {
      if (i === state.digit) return;
      mark(own[i], x(point[0]) + offsets[i][0], y(point[1]) + offsets[i][1], 2.6, !open || sideOf(point) === own[i], own[i] ? colors.low : colors.high);
    });
    twoMeans.forEach(([mx, my], k) => {
      const [px, py] = [x(mx), y(my)];
      Object.assign(context, { strokeStyle: colors.paper, lineWidth: 6 });
      for (const [style, width] of [[colors.paper, 6], [k ? colors.low : colors.high, 3]]) {
        Object.assign(context, { strokeStyle: style, lineWidth: width });
        context.beginPath();
        context.moveTo(px - 7, py);
        context.lineTo(px + 7, py);
        context.moveTo(px, py - 7);
        context.lineTo(px, py + 7);
        context.stroke();
      }
      Object.assign(context, { font: "700 13px system-ui, sans-serif", strokeStyle: colors.paper, lineWidth: 4, fillStyle: colors.ink, textAlign: px > length - 70 ? "right" : "left" });
      const label = [`mean ${classes[k]}`, px > length - 70 ? px - 9 : px + 9, py < top + 20 ? py + 20 : py - 9];
      context.strokeText(...label);
      context.fillText(...label);
    });
    const [px, py] = [x(state.point[0]), y(state.point[1])];
    mark(own[state.digit], px, py, 8, !open || sideOf(state.point) === own[state.digit], own[state.digit] ? colors.low : colors.high);
    Object.assign(context, { strokeStyle: colors.ink, lineWidth: 2.5 });
    context.beginPath();
    if (own[state.digit]) context.rect(px - 10, py - 10, 20, 20);
    else context.arc(px, py, 10, 0, 7);
    context.stroke();
  };

  const paintPictures = (state) => {
    const zoom = 140 / SIDE;
    const outline = (context, [row, column], dashed) => {
      for (const [style, width] of [["#fff", 4], ["#0b57d0", 2]]) {
        Object.assign(context, { strokeStyle: style, lineWidth: width });
        context.setLineDash(dashed && width === 2 ? [3, 2] : []);
        context.strokeRect(column * zoom - 2, row * zoom - 2, zoom + 4, zoom + 4);
      }
      context.setLineDash([]);
    };
    for (const [canvas, colorAt] of [[picture, (i) => grayOf(state.image[i])], [differing, (i) => signedOf(means[0][i] - means[1][i])]]) {
      const context = canvas.getContext("2d");
      for (let i = 0; i < ALL; i++) {
        context.fillStyle = colorAt(i);
        context.fillRect((i % SIDE) * zoom, Math.floor(i / SIDE) * zoom, zoom, zoom);
      }
      state.pixels.forEach((pixel, k) => outline(context, pixel, k));
    }
    picture.setAttribute("aria-label", `${nameOf(state.digit)}, a ${classes[own[state.digit]]}${state.wasMoved ? ", with its two pixels changed" : ""}`);
    differing.setAttribute("aria-label", `Where the means differ, with frames around the pixels ${state.pixels.map(written).join(" and ")}`);
  };
  const update = () => {
    frame.lock();
    const open = model.get("opened");
    const state = now();
    const { pixels, digit, at, image, point, twoMeans, wasMoved, places } = state;
    planes.forEach((plane, k) => paintPlane(plane, KINDS[k], state, open));
    paintPictures(state);
    const { points } = layOut(places);
    KINDS.forEach((kind, k) => {
      captions[k].lastChild.textContent = `: right for ${rightOf(points, own, twoMeans, kind)} of ${count} digits`;
      planes[k].setAttribute("aria-label", `The plane of the pixels ${pixels.map(written).join(" and ")} by ${kind}, with ${count} digits; ${classes.map((label, j) => `mean ${label} at ${twoMeans[j].map((x) => fixed(x, 2)).join(", ")}`).join("; ")}`);
    });
    const verdicts = {};
    for (const { whole, kind, boxes } of cells) {
      const distances = means.map((mean, k) => (whole ? DISTANCE[kind](image, mean) : DISTANCE[kind](point, twoMeans[k])));
      const wins = nearer(distances);
      verdicts[`${kind}${whole}`] = wins;
      boxes.forEach((box, j) => {
        box.textContent = j < 2 ? fixed(distances[j], 4) : wins < 0 ? "neither" : classes[wins];
        box.classList.toggle("psf-right", j === wins || j === 2);
      });
    }
    chooser.value = digit;
    chosen.textContent = nameOf(digit);
    chooser.setAttribute("aria-valuetext", `${nameOf(digit)}, a ${classes[own[digit]]}`);
    back.disabled = !wasMoved;
    sliders.forEach((slider, k) => { slider.value = at[k]; shown[k].textContent = fixed(at[k] / 255, 2); slider.setAttribute("aria-valuetext", shown[k].textContent); });
    inputs.forEach((pair, k) => pair.forEach((input, part) => { if (Number(input.value) !== pixels[k][part] || input.value === "") input.value = pixels[k][part]; }));
    const preset = presets.findIndex((each) => String(each.pixels) === String(pixels));
    examples.value = preset < 0 ? "" : preset;
    const [first, second] = KINDS.map((kind) => verdicts[`${kind}0`]);
    const [all1, all2] = KINDS.map((kind) => verdicts[`${kind}1`]);
    const pair = (one, two) => (one === two ? `nearer to ${said(one)} by both` : `nearer to ${said(one)} by L1, to ${said(two)} by L2`);
    frame.show(first < 0 && second < 0 ? `${nameOf(digit)}: in these two pixels the means are the same, so they cannot decide anything.`
      : `${nameOf(digit)}, ${wasMoved ? "moved to" : "at"} (${point.map((x) => fixed(x, 2)).join(", ")}): by these two pixels ${pair(first, second)}; by all 784, ${pair(all1, all2)}.`);
  };
  const soon = framer(update);

  // A press on another mark takes that digit; a drag, or a click where no mark is, moves the one that is taken
  let press = null;
  planes.forEach((plane) => dragXY(plane, (px, py, event) => {
    if (!model.get("opened")) return;
    const { length, x, y } = roomOf(plane);
    if (event.type === "pointerdown") {
      const state = now();
      const { points, offsets } = layOut(state.places);
      press = { px, py, free: false, dragged: false };
      if (Math.hypot(x(state.point[0]) - px, y(state.point[1]) - py) < 22) return;
      const far = points.map((point, i) => Math.hypot(x(point[0]) + offsets[i][0] - px, y(point[1]) + offsets[i][1] - py));
      const nearest = far.indexOf(Math.min(...far));
      if (far[nearest] < 12) choose(nearest);
      else press.free = true;
      return;
    }
    if (event.type === "pointermove") press.dragged ||= Math.hypot(px - press.px, py - press.py) >= 4;
    if (!press || (event.type === "click" ? press.dragged || !press.free : !press.dragged)) return;
    const to = (place, from, room) => clamp(Math.round((255 * (place - from)) / room), 0, 255);
    set({ moved: [to(px, PAD.left, length - PAD.left - PAD.right), 255 - to(py, PAD.top, length - PAD.top - PAD.bottom)] });
  }));
  let held = 0;
  dragXY(differing, (px, py, event) => {
    if (!model.get("opened") || event.type === "click") return;
    const zoom = differing.clientWidth / SIDE;
    const pixel = [py, px].map((place) => clamp(Math.floor(place / zoom), 0, SIDE - 1));
    const far = pixelsNow().map(([row, column]) => Math.hypot(row - pixel[0], column - pixel[1]));
    if (event.type === "pointerdown") held = Number(far[1] < far[0]);
    const next = pixelsNow().map((old, k) => (k === held ? pixel : old));
    if (plausible(next) && String(next) !== String(pixelsNow())) set({ pixels: next, moved: [] });
  });

  const endings = [listen(model, ["pixels", "digit", "moved", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  planes.forEach((plane) => watched.observe(plane));
  update();
  return () => { for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
