// A bar through two hills: every image is one number, and the bar says which class lies above it.
import { clamp, colorsOf, control, dragX, fixed, floatsOf, frameOf, framer, grouped, listen, make, moveKeys, numberOf, onTheme, setter, sharp, spriteOf, thumbOf } from "./figure.js";
import { bestOf, columnAt, columnsOf, countsOf, losingNone, nearestStop, nearestTo, paintColumns, setOf } from "./hills.js";

const INSET = 12; // half a range's thumb, so that the thumb stands under the bar
const HIGH = 104; // how high a hill may be, in pixels
const MANY = 4000; // from here on columns are drawn, not dots
const NEAR = 4; // images shown on either side of the bar

const runs = (labels) => labels.flatMap(([label, n]) => Array(n).fill(label));

const render = ({ model, el }) => {
  const [high, low] = model.get("classes"); // the class that lies above the bar, and the other
  const sets = Object.fromEntries(Object.entries(model.get("sets")).map(([name, { values, size, labels }]) => {
    const was = runs(labels);
    return [name, { was, labels, ...setOf(floatsOf(values, size), was.map((label) => label === high)) }];
  }));
  const names = { train: "training", valid: "validation" };
  const percent = model.get("percent");
  const written = (x) => (percent ? `${fixed(100 * x, 1)}%` : fixed(x, 4));
  const set = setter(model);
  const on = () => (model.get("on") in sets ? model.get("on") : Object.keys(sets)[0]);
  const present = () => sets[on()];
  const home = sets.train ?? sets.valid; // where a bar is chosen
  const aim = model.get("ask") === "lose none" ? losingNone(home) : bestOf(home);

  const all = Object.values(sets).map(({ stops }) => [stops[0], stops[stops.length - 1]]);
  const [first, last] = [Math.min(...all.map(([a]) => a)), Math.max(...all.map(([, b]) => b))];
  const along = (x) => (x - first) / (last - first);

  // The picture
  const canvas = make("canvas", { className: "psf-hills", attributes: { role: "img", "aria-label": "" } });
  const slider = control("input", { type: "range", min: 0, max: 1, step: "any", className: "psf-bar", attributes: { "aria-label": `Bar: ${model.get("name")}` } });
  const ends = make("div", { className: "psf-ends", attributes: { "aria-hidden": "true" } }, make("span", { textContent: written(first) }), make("span", { textContent: model.get("name") }), make("span", { textContent: written(last) }));

  // The numbers
  const classes = [high, low].sort((a, b) => (a > b ? 1 : -1));
  const cells = classes.map(() => classes.map(() => make("td")));
  const shares = [...classes, "together"].map((label) => ({ label, number: make("td") }));
  const head = (text) => make("th", { textContent: text, scope: "col" });
  const row = (text, ...rest) => make("tr", {}, make("th", { textContent: text, scope: "row" }), ...rest);
  const confusion = make("table", { className: "psf-table" }, make("caption", { textContent: "Counts" }),
    make("thead", {}, make("tr", {}, make("td"), ...classes.map((label) => head(`said ${label}`)))), make("tbody", {}, ...classes.map((label, i) => row(`was ${label}`, ...cells[i]))));
  const accuracies = make("table", { className: "psf-table" }, make("caption", { textContent: "Accuracy" }),
    make("tbody", {}, ...shares.map(({ label, number }) => row(label === "together" ? label : `${label}s`, number))));

  // The images
  let loaded = false;
  const draw = spriteOf(model.get("images"), () => { loaded = true; soon(); });
  const thumbs = [0, 1].map((side) => Array.from({ length: NEAR }, () => {
    const canvas = thumbOf({ attributes: { "aria-hidden": "true" } });
    return { canvas, image: -1, button: control("button", { type: "button", className: "psf-digit", onclick: (event) => look(thumbs[side].find(({ button }) => button === event.currentTarget).image) }, canvas) };
  }));
  const near = make("div", { className: "psf-near" }, ...thumbs.map((side, k) => make("div", { className: "psf-side" },
    make("span", { className: "psf-small", textContent: k ? "just above the bar" : "just below the bar" }), make("div", { className: "psf-row" }, ...side.map(({ button }) => button)))));
  const big = thumbOf({ className: "psf-thumb psf-large", attributes: { role: "img", "aria-label": "The opened image" } });
  const about = make("span", { className: "psf-about" });
  const finder = control("input", { type: "range", min: 0, step: 1, attributes: { "aria-label": "Open an image, in the order of their numbers" } });
  const opened = make("div", { className: "psf-opened" }, big, make("div", {}, about, make("label", { className: "psf-small" }, "Open an image, in the order of their numbers ", finder)));
  const pictures = make("div", { className: "psf-pictures" }, near, opened);

  const radios = Object.keys(sets).map((name) => control("input", { type: "radio", value: name, onchange: () => set({ on: name, look: -1 }) }));
  const best = control("button", { type: "button", textContent: model.get("ask") === "lose none" ? `Lose no ${high}` : `Best bar for the ${sets.train ? "training" : "validation"} set`, onclick: () => set({ threshold: aim }) });
  const choice = make("div", { className: "psf-row psf-choice", attributes: { role: "radiogroup", "aria-label": "Images" } }, ...radios.map((radio) => make("label", {}, radio, ` ${names[radio.value]} set`)));

  const place = (wanted) => {
    const text = numberOf(wanted);
    return text === null ? null : percent ? text / 100 : text;
  };
  const asks = {
    best: {
      text: `Where must the bar stand so that it gets most of the ${sets.train ? "training" : "validation"} images right? To its right it says ${high}, to its left ${low}.`,
      truth: () => `The best bar stands at ${written(aim)} and gets ${share(aim)} right.`,
      say: (guess) => `${written(place(guess))}, where the bar gets ${share(place(guess))} right`,
      fits: (guess) => place(guess) !== null, unit: percent ? "%" : "", mode: "decimal", complaint: `Type a number from ${written(first)} to ${written(last)}.`,
    },
    accuracy: {
      text: `What share of the ${sets.train ? "training" : "validation"} images will the best bar get right, in percent?`,
      truth: () => `The best bar gets ${fixed(100 * countsOf(home, aim).accuracy, 1)}% right.`,
      say: (guess) => `${numberOf(guess)}%`,
      fits: (guess) => numberOf(guess) !== null, unit: "%", mode: "decimal", complaint: "Type a number from 0 to 100.",
    },
    "lose none": {
      text: `Put the bar where not a single ${high} is lost. How many of the ${grouped(home.below.length)} ${low}s are then wrong?`,
      truth: () => `Then ${grouped(home.below.length - countsOf(home, aim).right[1])} of the ${grouped(home.below.length)} ${low}s are wrong.`,
      say: (guess) => guess,
      fits: (guess) => /^\d+$/.test(guess.replace(/,/g, "")), mode: "numeric", complaint: "Type a whole number.",
    },
  };
  const share = (threshold) => `${grouped(countsOf(home, threshold).both)} of ${grouped(home.values.length)}`;

  const frame = frameOf({ model, el, title: `A bar through two hills: ${model.get("name")}`, ask: asks[model.get("ask")] ?? asks.best,
    stage: [make("div", { className: "psf-plot" }, canvas, slider, ends)],
    controls: [make("div", { className: "psf-row" }, ...(radios.length > 1 ? [choice] : []), best), make("div", { className: "psf-tables" }, confusion, accuracies), pictures],
    help: `A filled mark is right, a hollow one wrong. Drag the bar, or move it with the arrow keys, from one image to the next; Page Up and Page Down take ten, Home and End go to the ends, Escape goes back. Click a dot to open its image.` });
  for (const radio of radios) radio.name = `${frame.id}-on`;

  const look = (image) => set({ look: image });

  // Where each dot is, for the present width; made anew when set or width change
  let layout = {};
  const layOut = () => {
    const width = canvas.clientWidth || 600;
    const name = on();
    if (layout.width === width && layout.name === name) return layout;
    const { values, order, isAbove } = present();
    const room = width - 2 * INSET;
    const columns = columnsOf(present().levels, last - first, room / (values.length > MANY ? 6 : 5));
    const heights = [0, 1].map(() => new Int32Array(Math.floor(columns) + 1));
    const x = new Float64Array(values.length);
    const rank = new Int32Array(values.length);
    for (const i of order) {
      const column = columnAt(along(values[i]), columns);
      x[i] = INSET + ((column + 0.5) * room) / columns;
      rank[i] = heights[isAbove[i] ? 0 : 1][column]++;
    }
    const tallest = Math.max(...heights[0], ...heights[1]);
    layout = { width, name, x, rank, heights, columns, room, step: Math.min(5, HIGH / tallest) };
    return layout;
  };
  const yOf = (i) => HIGH + 4 + (present().isAbove[i] ? -1 : 1) * (layout.rank[i] + 0.7) * layout.step;

  const paint = () => {
    const threshold = model.get("threshold");
    const { width, x, heights, columns, room, step } = layOut();
    const { values, isAbove } = present();
    const colors = colorsOf(frame.root);
    const tall = 2 * HIGH + 8;
    const context = sharp(canvas, width, tall);
    const bar = INSET + clamp(along(threshold), 0, 1) * room;
    if (values.length > MANY) paintColumns(context, { heights, colors: [colors.high, colors.low], left: INSET, room, columns, middle: HIGH + 4, step, bar, width, tall });
    else {
      const paths = [0, 1].map(() => [new Path2D(), new Path2D()]);
      const radius = Math.max(1.3, Math.min(2.2, step * 0.55));
      for (let i = 0; i < values.length; i++) {
        const path = paths[isAbove[i] ? 0 : 1][isAbove[i] === values[i] > threshold ? 1 : 0];
        const y = yOf(i);
        path.moveTo(x[i] + radius, y);
        path.arc(x[i], y, radius, 0, 7);
      }
      paths.forEach(([wrong, right], k) => {
        Object.assign(context, { strokeStyle: k ? colors.low : colors.high, fillStyle: k ? colors.low : colors.high, lineWidth: 1 });
        context.fill(right);
        context.stroke(wrong);
      });
    }
    Object.assign(context, { font: "600 13px system-ui, sans-serif", textAlign: "right" });
    for (const [label, y, color] of [[high, 14, colors.high], [low, tall - 5, colors.low]]) {
      context.fillStyle = color;
      context.fillText(`${label}s`, width - INSET, y);
    }
    context.fillStyle = colors.ink;
    context.fillRect(bar - 1, 0, 2, tall);
    if (model.get("opened") && model.get("guess") && (model.get("ask") ?? "best") === "best") {
      context.save();
      Object.assign(context, { strokeStyle: colors.ink, lineWidth: 1.5 });
      context.setLineDash([3, 4]);
      context.beginPath();
      const guessed = INSET + clamp(along(place(model.get("guess"))), 0, 1) * room;
      context.moveTo(guessed, 0);
      context.lineTo(guessed, tall);
      context.stroke();
      context.restore();
    }
    const image = model.get("look");
    if (draw && on() === "valid" && image >= 0 && image < values.length) {
      Object.assign(context, { strokeStyle: colors.ink, lineWidth: 2 });
      context.beginPath();
      context.arc(x[image], yOf(image), 6, 0, 7);
      context.stroke();
    }
  };

  const numbers = () => {
    const threshold = model.get("threshold");
    const now = present();
    const { right, total, both, accuracy, each } = countsOf(now, threshold);
    const at = (label) => (label === high ? 0 : 1);
    classes.forEach((was, i) => classes.forEach((said, j) => {
      const k = at(was);
      cells[i][j].textContent = grouped(was === said ? right[k] : total[k] - right[k]);
      cells[i][j].classList.toggle("psf-right", was === said);
    }));
    shares.forEach(({ label, number }) => { number.textContent = fixed(label === "together" ? accuracy : each[at(label)], 4); });
    slider.value = along(threshold);
    slider.setAttribute("aria-valuetext", `${written(threshold)}, ${grouped(both)} of ${grouped(now.values.length)} right`);
    for (const radio of radios) radio.checked = radio.value === on();
    pictures.hidden = !(draw && on() === "valid");
    if (!pictures.hidden && model.get("opened")) images(now, threshold);
    canvas.setAttribute("aria-label", `${grouped(total[0])} images of a ${high} as marks upward, ${grouped(total[1])} of a ${low} downward, from ${written(now.levels[0])} to ${written(now.levels[now.levels.length - 1])}`);
    frame.show(`Bar at ${written(threshold)}: right for ${grouped(both)} of ${grouped(now.values.length)} ${names[on()]} images, ${fixed(accuracy, 4)} `
      + `(${high}s ${fixed(each[0], 4)}, ${low}s ${fixed(each[1], 4)}).`);
  };

  const nameOf = (now, i) => {
    let before = 0;
    for (const [label, n] of now.labels) {
      if (i < before + n) return `valid[${label}][${i - before}]`;
      before += n;
    }
    return "";
  };
  const said = (now, i, threshold) => (now.values[i] > threshold ? high : low);
  const images = (now, threshold) => {
    const [below, above] = nearestTo(now, threshold, NEAR);
    [below, above].forEach((found, side) => thumbs[side].forEach((thumb, k) => {
      const i = found[side ? k : k - NEAR + found.length] ?? -1;
      thumb.button.hidden = i < 0;
      if (i >= 0) {
        const right = said(now, i, threshold) === now.was[i];
        thumb.button.className = `psf-digit ${right ? "psf-filled" : "psf-hollow"}`;
        thumb.button.setAttribute("aria-label", `${nameOf(now, i)}, ${right ? "right" : "wrong"}: open`);
        if (thumb.image !== i || !thumb.drawn) draw(thumb.canvas, i);
      }
      thumb.image = i;
      thumb.drawn = loaded;
    }));
    const i = model.get("look");
    const known = i >= 0 && i < now.values.length;
    big.hidden = !known;
    finder.max = now.values.length - 1;
    finder.value = known ? places[i] : 0;
    if (!known) { about.textContent = "Click a dot or an image to open it."; return; }
    draw(big, i);
    const right = said(now, i, threshold) === now.was[i];
    about.textContent = `${nameOf(now, i)} is a ${now.was[i]}, ${written(now.values[i])}: the bar says ${said(now, i, threshold)}, ${right ? "right" : "wrong"}.`;
    big.setAttribute("aria-label", `Image ${nameOf(now, i)}, a ${now.was[i]}`);
    finder.setAttribute("aria-valuetext", about.textContent);
  };
  const places = sets.valid ? new Int32Array(sets.valid.order.length) : [];
  sets.valid?.order.forEach((i, k) => { places[i] = k; });

  const update = () => { frame.lock(); numbers(); paint(); };
  const soon = framer(update);

  const to = (value) => set({ threshold: present().stops[nearestStop(present().stops, value)] });
  const by = (steps) => {
    const { stops } = present();
    set({ threshold: stops[clamp(nearestStop(stops, model.get("threshold")) + steps, 0, stops.length - 1)] });
  };
  slider.addEventListener("input", () => to(first + Number(slider.value) * (last - first)));
  moveKeys(slider, { by, to: (end) => to(end === "first" ? first : last), get: () => model.get("threshold"), set: (threshold) => set({ threshold }) });
  finder.addEventListener("input", () => look(present().order[Number(finder.value)]));
  moveKeys(finder, { by: (steps) => look(present().order[clamp((model.get("look") < 0 ? -1 : places[model.get("look")]) + steps, 0, present().order.length - 1)]),
    to: (end) => look(present().order[end === "first" ? 0 : present().order.length - 1]), get: () => model.get("look"), set: look });

  // A click on a dot opens it, a drag moves the bar
  let start = null;
  dragX(canvas, (x, event) => {
    if (!model.get("opened")) return;
    if (event.type === "pointerdown") { start = event.clientX; return; }
    if (start !== null && Math.abs(event.clientX - start) < 4) return;
    start = null;
    to(first + x * (last - first));
  }, INSET);
  canvas.addEventListener("click", (event) => {
    if (start === null || !model.get("opened")) return;
    const box = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let [found, nearest] = [-1, 12];
    if (draw && on() === "valid") {
      layout.x.forEach((x, i) => {
        const far = Math.hypot(x - px, yOf(i) - py);
        if (far < nearest) [found, nearest] = [i, far];
      });
    }
    if (found >= 0) look(found);
    else to(first + clamp((px - INSET) / layout.room, 0, 1) * (last - first));
  });

  const endings = [listen(model, ["threshold", "on", "look", "opened", "guess"], soon), onTheme(soon)];
  const size = new ResizeObserver(soon);
  size.observe(canvas);
  update();
  return () => {
    for (const end of endings) end();
    size.disconnect();
    for (const { stop } of [soon, set]) stop();
    frame.close();
  };
};

export default { render };
