// A valley: the loss of two weights over a few training images, seen from above, and a ball that takes steps downhill.
import { clamp, colorsOf, control, dragXY, fixed, frameOf, framer, listen, make, onTheme, setter, sharp, sliderOf, wholeOf } from "./figure.js";

const FAR = 3; // the map goes from -3 to 3 in both directions
const MOST = 40; // steps that are kept
const RATES = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.2, 1.4, 1.5, 1.6, 1.7, 1.8, 2];
const PAD = { left: 40, right: 12, top: 12, bottom: 40 };

// What the rule says of an image, less what it should say
const errorOf = (ink, wanted, [first, second]) => ink[0] * first + ink[1] * second - wanted;

export const lossAt = (inks, wanted, w) => inks.reduce((sum, ink, i) => sum + errorOf(ink, wanted[i], w) ** 2, 0) / inks.length;

// The gradient: the slope of the loss for each of the two weights
export const slopesAt = (inks, wanted, w) => [0, 1].map((k) => inks.reduce((sum, ink, i) => sum + 2 * errorOf(ink, wanted[i], w) * ink[k], 0) / inks.length);

// The weights at the start and after a step with each of the rates
export const pathOf = (inks, wanted, start, rates) => rates.reduce((path, rate) => {
  const at = path[path.length - 1];
  const slopes = slopesAt(inks, wanted, at);
  return [...path, at.map((w, k) => w - rate * slopes[k])];
}, [start]);

// The lowest place of the valley, how much it is bent along its two axes, the lesser first, and the angle of the first, from the first weight to the second
export const bowlOf = (inks, wanted) => {
  const mean = (value) => (2 * inks.reduce((sum, ink, i) => sum + value(ink, wanted[i]), 0)) / inks.length;
  const [a, b, c] = [mean(([x]) => x * x), mean(([x, y]) => x * y), mean(([, y]) => y * y)];
  const [p, q] = [mean(([x], t) => x * t), mean(([, y], t) => y * t)];
  const half = Math.hypot((a - c) / 2, b);
  return { best: [(c * p - b * q) / (a * c - b * b), (a * q - b * p) / (a * c - b * b)], bent: [(a + c) / 2 - half, (a + c) / 2 + half], angle: (Math.atan2(2 * b, a - c) + Math.PI) / 2 };
};

const render = ({ model, el }) => {
  const set = setter(model);
  const presets = model.get("presets").map(({ name, pixels, bytes }) => ({ name, pixels, inks: bytes.map((pair) => pair.map((n) => n / 255)) }));
  const wanted = model.get("wanted");
  const bowls = presets.map(({ inks }) => bowlOf(inks, wanted));
  const isRate = (rate) => typeof rate === "number" && rate > 0 && rate <= 2;
  const now = () => {
    const [pair, taken, start] = [wholeOf(model.get("pair"), 0, presets.length - 1), model.get("taken"), model.get("start")];
    const from = Array.isArray(start) && start.length === 2 && start.every((n) => Number.isInteger(n) && Math.abs(n) <= 10 * FAR) ? start : [0, 0];
    const rates = Array.isArray(taken) ? taken.filter(isRate).slice(0, MOST) : [];
    return { pair, rates, from, rate: isRate(model.get("rate")) ? model.get("rate") : RATES[4], inks: presets[pair].inks, path: pathOf(presets[pair].inks, wanted, from.map((n) => n / 10), rates) };
  };
  const ahead = (state) => { // and where the next step leads, if there is one
    const { inks, path, rates, rate } = state;
    return { ...state, next: rates.length < MOST ? pathOf(inks, wanted, path[path.length - 1], [rate])[1] : null };
  };
  const stopOf = (rate) => RATES.reduce((best, stop, i) => (Math.abs(stop - rate) < Math.abs(RATES[best] - rate) ? i : best), 0);

  const canvas = make("canvas", { className: "psf-plane psf-valley", attributes: { role: "img" } });
  const slider = sliderOf(0, RATES.length - 1, "rate", () => stopOf(now().rate), (stop) => set({ rate: RATES[stop] }));
  const shown = make("span", { className: "psf-number" });
  const go = (count) => { const { rates, rate } = now(); set({ taken: [...rates, ...Array(count).fill(rate)].slice(0, MOST) }); };
  const step = control("button", { type: "button", textContent: "step", onclick: () => go(1) });
  const ten = control("button", { type: "button", textContent: "ten steps", onclick: () => go(10) });
  const back = control("button", { type: "button", className: "psf-plain", textContent: "back to the start", onclick: () => set({ taken: [] }) });
  const starts = ["first", "second"].map((name, k) => sliderOf(-10 * FAR, 10 * FAR, `${name} weight at the start`, () => now().from[k], (value) => set({ start: now().from.map((n, j) => (j === k ? value : n)), taken: [] })));
  const at = starts.map(() => make("span", { className: "psf-number" }));
  const chooser = control("select", { onchange: () => set({ pair: Number(chooser.value), taken: [] }) }, ...presets.map(({ name, pixels }, i) => make("option", { value: i, textContent: `${name}: ${pixels.map((pixel) => `(${pixel.join(", ")})`).join(" and ")}` })));

  const choices = ["it comes nearer, from one side", "it jumps across and comes nearer", "it is thrown out"];
  const frame = frameOf({ model, el, title: "A valley",
    ask: { text: "Two weights, and the loss of each pair of them: a valley, seen from above. With a rate of 0.5 each step goes 0.63 of the way across it. And with a rate three times as large, 1.5?",
      truth: () => "With 1.5 it jumps across the valley at each step, 1.89 times the way: less than twice, so it comes nearer all the same. With 1.7 it is 2.14 times the way, and the ball is thrown out.",
      choices, say: (guess) => `that ${guess}` },
    stage: [canvas],
    controls: [
      make("div", { className: "psf-row" }, make("label", { className: "psf-long" }, "rate ", slider, shown)),
      make("div", { className: "psf-row" }, step, ten, back),
      make("div", { className: "psf-row" }, ...starts.map((input, k) => make("label", {}, `${["first", "second"][k]} weight, start `, input, at[k]))),
      make("div", { className: "psf-row" }, make("label", {}, "pixels ", chooser)),
    ],
    help: "Each line joins places of equal loss; the stronger the color, the lower, and the cross is the lowest place. The large mark is the ball, and the dashed line its next step. Drag it, or click on the map, to start elsewhere. The map is computed from ten threes, which should give 1, and ten sevens, which should give −1." });

  const roomOf = () => {
    const length = canvas.clientWidth || 300;
    const span = length - PAD.left - PAD.right;
    return { length, span, unit: span / (2 * FAR), x: (w) => PAD.left + ((w + FAR) / (2 * FAR)) * span, y: (w) => PAD.top + ((FAR - w) / (2 * FAR)) * span };
  };

  const paint = ({ pair, path, next }, open) => {
    const { length, span, unit, x, y } = roomOf();
    const colors = colorsOf(frame.root);
    const context = sharp(canvas, length, length);
    const { best, bent, angle } = bowls[pair];
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = colors.soft;
    context.textAlign = "center";
    for (let w = -FAR; w <= FAR; w++) {
      context.fillText(String(w).replace("-", "−"), x(w), length - PAD.bottom + 16);
      context.fillText(String(w).replace("-", "−"), PAD.left - 14, y(w) + 4);
    }
    context.fillText("first weight", x(0), length - 6);
    context.save();
    context.translate(11, y(0));
    context.rotate(-Math.PI / 2);
    context.fillText("second weight", 0, 0);
    context.restore();
    context.save();
    context.beginPath();
    context.rect(PAD.left, PAD.top, span, span);
    context.clip();
    if (open) {
      for (let k = 16; k >= 1; k--) { // the loss rises evenly with the square of k
        context.beginPath();
        context.ellipse(x(best[0]), y(best[1]), ...bent.map((h) => Math.min(1e5, 0.35 * k * unit * Math.sqrt(2 / h))), -angle, 0, 2 * Math.PI);
        Object.assign(context, { fillStyle: colors.mark, globalAlpha: 0.045, strokeStyle: colors.soft, lineWidth: 1 });
        context.fill();
        context.globalAlpha = 0.6;
        context.stroke();
      }
      context.globalAlpha = 1;
      Object.assign(context, { strokeStyle: colors.ink, lineWidth: 2 });
      context.beginPath();
      for (const [dx, dy] of [[6, 0], [0, 6]]) { context.moveTo(x(best[0]) - dx, y(best[1]) - dy); context.lineTo(x(best[0]) + dx, y(best[1]) + dy); }
      context.stroke();
    }
    Object.assign(context, { strokeStyle: colors.low, fillStyle: colors.low, lineWidth: 2 });
    const spotOf = ([first, second]) => [clamp(x(first), -1e5, 1e5), clamp(y(second), -1e5, 1e5)];
    const spots = path.map(spotOf);
    if (open && next) {
      context.setLineDash([5, 4]);
      context.beginPath();
      context.moveTo(...spots[spots.length - 1]);
      context.lineTo(...spotOf(next));
      context.stroke();
      context.setLineDash([]);
    }
    context.beginPath();
    spots.forEach(([px, py], i) => (i ? context.lineTo(px, py) : context.moveTo(px, py)));
    context.stroke();
    spots.forEach(([px, py], i) => {
      context.beginPath();
      context.arc(px, py, i === spots.length - 1 ? 8 : 3, 0, 2 * Math.PI);
      context.fill();
    });
    context.lineWidth = 2;
    context.strokeStyle = colors.paper;
    context.stroke();
    context.restore();
    context.strokeStyle = colors.soft;
    context.strokeRect(PAD.left, PAD.top, span, span);
  };

  const three = (x) => (Math.abs(x) < 1000 ? fixed(x, 3).replace(/^-(0\.000)$/, "$1").replace("-", "−") : `${x < 0 ? "below −" : "above "}1,000`);
  const both = (pair) => pair.map(three).join(" and ");
  const update = () => {
    frame.lock();
    const state = ahead(now());
    const { pair, rates, from, rate, inks, path, next } = state;
    const w = path[path.length - 1];
    const loss = lossAt(inks, wanted, w);
    paint(state, model.get("opened"));
    const isOut = w.some((each) => Math.abs(each) > FAR);
    canvas.setAttribute("aria-label", `Map of the loss of two weights, lowest at ${both(bowls[pair].best)}; the ball is at ${both(w)}${isOut ? ", beyond the edge" : ""}`);
    slider.value = stopOf(rate);
    shown.textContent = rate;
    slider.setAttribute("aria-valuetext", String(rate));
    starts.forEach((input, k) => { input.value = from[k]; at[k].textContent = fixed(from[k] / 10, 1).replace("-", "−"); input.setAttribute("aria-valuetext", at[k].textContent); });
    chooser.value = pair;
    step.disabled = ten.disabled = rates.length >= MOST;
    back.disabled = rates.length === 0;
    const before = rates.length ? lossAt(inks, wanted, path[path.length - 2]) : loss;
    frame.show(`${rates.length ? `After ${rates.length} ${rates.length === 1 ? "step" : "steps"}` : "At the start"}: weights ${both(w)}, loss ${three(loss)}, slopes ${both(slopesAt(inks, wanted, w))}.`
      + (rates.length ? ` The last step has made the loss ${loss < before ? "smaller" : "larger"}.` : "") + (isOut ? " The ball is beyond the edge of the map." : "")
      + (next ? ` The next step leads to ${both(next)}.` : ""));
  };
  const soon = framer(update);
  dragXY(canvas, (px, py, event) => {
    if (!model.get("opened") || (event.type === "pointerdown" && event.pointerType !== "mouse")) return;
    const { unit } = roomOf();
    const to = (place, sign) => clamp(Math.round(10 * sign * (place / unit - FAR)), -10 * FAR, 10 * FAR) || 0;
    set({ start: [to(px - PAD.left, 1), to(py - PAD.top, -1)], taken: [] });
  });
  const endings = [listen(model, ["pair", "rate", "start", "taken", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  watched.observe(canvas);
  update();
  return () => { for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
