// Draw a digit and see which prototype it is nearer to. An anywidget module: everything is computed here, from
// what is in the model, so that it works with no kernel and no network. The drawing is kept as lines and turned into
// pixels by arithmetic, not read from a canvas, since some browsers refuse that or add noise to it.
import { bytesOf, leaveCtrl, make } from "./figure.js";
import { likeMnist } from "./scans.js";

const SIDE = 28;
const FULL = 0.7; // this near to the middle of a stroke, in pixels, the ink is full
const EDGE = 1.0; // and over this many more it fades out, so that a stroke is as wide as one of MNIST
const BOX = 20; // MNIST's digits fill a box of this size
const MIDDLE = 14; // and the center of their ink is here, as a row or column number
const ZOOM = 20; // canvas pixels for each pixel of the digit, on the sheet to draw on
const WIDEST = { l1: 0.25, l2: 0.4 }; // the distance that fills a bar
const MOVES = { ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowRight: [1, 0] };
const FARTHEST = 14; // this far one can push what is drawn, in pixels
const TEN = "means-0-9.js"; // the file that the site has of the ten means

const MOST_BYTES = 20e6; // of a picture that is taken
const MOST_PIXELS = 64e6;
const UNSURE = 0.05; // of a page that takes pictures: nearer by less than this share, it is hard to say

// What phones and browsers keep pictures in and not every browser reads: how the file begins, and what to do, as `read_image` says it
const BRANDS = { AVIF: ["avif", "avis"], HEIC: ["heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs", "mif1", "msf1"] };
const AS_JPEG = { AVIF: "save it as JPEG or PNG", HEIC: "share or export it as JPEG; for the next ones, choose Most Compatible in the iPhone's settings (Camera, Formats)" };

const textOf = (bytes) => btoa(String.fromCharCode(...bytes));

// The images of 28 × 28 in a base64 text of 64-bit floats: grays from 0 to 255, the very numbers that the library compares
const prototypesOf = (text) => {
  const view = new DataView(bytesOf(text).buffer);
  const all = Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true));
  return Array.from({ length: all.length / SIDE ** 2 }, (_, k) => all.subarray(k * SIDE ** 2, (k + 1) * SIDE ** 2));
};

// The means of all ten digits, in the same form: a text has for each digit how many images it has, and of each pixel their sum, in three bytes
const tenOf = (text) => {
  const { counts, sums } = JSON.parse(text);
  const bytes = bytesOf(sums);
  const sumAt = (i) => bytes[3 * i] + 256 * bytes[3 * i + 1] + 65536 * bytes[3 * i + 2];
  return counts.map((count, k) => Float64Array.from({ length: SIDE ** 2 }, (_, i) => sumAt(k * SIDE ** 2 + i) / count));
};

// The distance of an image, grays from 0 to 255, to each prototype, 0 to 1, and the prototypes from the nearest to the farthest.
// The library's rule for ties: what is nearest but for rounding is equally near, and of those the first is the answer.
const compare = (image, prototypes, measure) => {
  const term = { l1: Math.abs, l2: (difference) => difference ** 2 }[measure];
  const whole = { l1: (mean) => mean, l2: Math.sqrt }[measure];
  const far = prototypes.map((prototype) => whole(image.reduce((sum, value, i) => sum + term(value - prototype[i]), 0) / image.length));
  const tied = Math.min(...far) * (1 + 1e-12);
  const rank = far.map((value) => Math.max(value, tied));
  return { distances: far.map((value) => value / 255), order: far.map((_, k) => k).sort((a, b) => rank[a] - rank[b] || a - b) };
};

// How far the point (x, y) is from the line between a and b
const distanceToLine = (x, y, a, b) => {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length2 = dx * dx + dy * dy;
  const along = length2 ? Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / length2)) : 0;
  return Math.hypot(x - a[0] - along * dx, y - a[1] - along * dy);
};

// Strokes as ink, 0 to 1 for each pixel; a stroke is a list of points [x, y], in pixels from the upper left corner
const inkOf = (strokes) => {
  const ink = new Float64Array(SIDE ** 2);
  const reach = FULL + EDGE;
  for (const stroke of strokes) {
    stroke.forEach((b, i) => {
      const a = stroke[Math.max(0, i - 1)];
      const [left, right] = [Math.min(a[0], b[0]) - reach, Math.max(a[0], b[0]) + reach].map((v) => Math.min(SIDE, Math.max(0, v)));
      const [top, bottom] = [Math.min(a[1], b[1]) - reach, Math.max(a[1], b[1]) + reach].map((v) => Math.min(SIDE, Math.max(0, v)));
      for (let row = Math.floor(top); row < bottom; row++) {
        for (let column = Math.floor(left); column < right; column++) {
          const far = distanceToLine(column + 0.5, row + 0.5, a, b) - FULL;
          const at = row * SIDE + column;
          ink[at] = Math.max(ink[at], Math.min(1, Math.max(0, 1 - far / EDGE)));
        }
      }
    });
  }
  return ink;
};

const moved = (strokes, scale, dx, dy) => strokes.map((stroke) => stroke.map(([x, y]) => [x * scale + dx, y * scale + dy]));

// What MNIST's makers did with every digit: its longer side becomes 20 pixels, its center of ink the middle of the image
const asMnist = (strokes) => {
  const points = strokes.flat();
  const low = [0, 1].map((axis) => Math.min(...points.map((p) => p[axis])));
  const high = [0, 1].map((axis) => Math.max(...points.map((p) => p[axis])));
  const longer = Math.max(high[0] - low[0], high[1] - low[1]);
  const room = BOX - 2 * (FULL + EDGE);
  const scale = Math.min(room / longer, 8); // a dot stays a dot
  const sized = moved(strokes, scale, ...[0, 1].map((axis) => SIDE / 2 - (scale * (low[axis] + high[axis])) / 2));
  const ink = inkOf(sized);
  const total = ink.reduce((sum, value) => sum + value, 0);
  const shift = [(at) => at % SIDE, (at) => Math.floor(at / SIDE)].map((place, axis) => {
    const center = ink.reduce((sum, value, at) => sum + value * place(at), 0) / total;
    const spare = Math.floor(SIDE / 2 - (scale * (high[axis] - low[axis])) / 2 - FULL - EDGE);
    return Math.min(spare, Math.max(-spare, Math.round(MIDDLE - center))); // never over the edge
  });
  return moved(sized, 1, ...shift);
};

// An image pushed to the right and down; what leaves the square is gone, and empty paper comes in
const pushed = (values, [dx, dy]) => values.map((_, at) => {
  const [x, y] = [(at % SIDE) - dx, Math.floor(at / SIDE) - dy];
  return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? values[y * SIDE + x] : 0;
});

// How far something was pushed, in words: "3 pixels down and 1 right"; nothing if it was not
const pushedText = ([dx, dy]) => {
  const parts = [[dy, "up", "down"], [dx, "left", "right"]].filter(([n]) => n).map(([n, back, on]) => [Math.abs(n), n < 0 ? back : on]);
  return parts.map(([n, where], i) => (i ? `${n} ${where}` : `${n} pixel${n === 1 ? "" : "s"} ${where}`)).join(" and ");
};

// Colors: ink from 0 to 255 on paper, and a difference from -255, blue, to 255, red
const gray = (value) => Array(3).fill(255 - value);
const signed = (value) => (value < 0 ? [33, 102, 172] : [178, 24, 43]).map((full) => 255 + ((full - 255) * Math.abs(value)) / 255);

const paint = (canvas, values, color) => {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  values.forEach((value, i) => image.data.set([...color(value), 255], 4 * i));
  context.putImageData(image, 0, 0);
};

const picture = (label) => make("canvas", { className: "psd-pixels", width: SIDE, height: SIDE, attributes: { role: "img", "aria-label": label } });

// Why the browser takes a file for no picture
const unreadable = async (file) => {
  const begins = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  const textAt = (at) => String.fromCharCode(...begins.subarray(at, at + 4));
  const end = begins.length >= 8 && textAt(4) === "ftyp" ? Math.min(begins.length, new DataView(begins.buffer).getUint32(0)) : 0;
  const brands = new Set();
  for (let at = 8; at < end; at += 4) brands.add(textAt(at));
  const kind = Object.keys(BRANDS).find((name) => BRANDS[name].some((brand) => brands.has(brand)));
  return kind ? `it is in the format ${kind}: ${AS_JPEG[kind]}` : "this browser takes it for none";
};

// The grays of the picture in a file, 255 for light and upright, and its size; what is transparent is paper. Pillow's weights for colors.
const graysOf = async (file, dark) => {
  const { name = "this picture" } = file;
  if (file.size > MOST_BYTES) throw new Error(`${name} has ${(file.size / 1e6).toFixed(1)} MB, more than the ${MOST_BYTES / 1e6} that this page takes: save it smaller`);
  const bitmap = await createImageBitmap(file).catch(async () => { throw new Error(`cannot read ${name} as an image: ${await unreadable(file)}`); });
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error(`${name} is ${width} pixels wide and ${height} high, more than 64,000,000 together: save it smaller, with at most ${Math.sqrt(MOST_PIXELS)} pixels on each side`);
  const context = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.fillStyle = dark ? "#fff" : "#000";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { grays: Uint8Array.from({ length: width * height }, (_, i) => (19595 * data[4 * i] + 38470 * data[4 * i + 1] + 7471 * data[4 * i + 2] + 32768) >> 16), size: [height, width] };
};

// Is most of the border ink? Then ink and paper are probably swapped
const isBright = (ink, [rows, columns]) => {
  const border = [];
  for (let column = 0; column < columns; column++) border.push(ink[column], ink[(rows - 1) * columns + column]);
  for (let row = 0; row < rows; row++) border.push(ink[row * columns], ink[row * columns + columns - 1]);
  border.sort((a, b) => a - b);
  return (border[(border.length - 1) >> 1] + border[border.length >> 1]) / 2 > 127;
};

// What the classifier sees of a picture in a file: `image`, or none, and in words what may be wrong with it
const pictureOf = async (file, dark) => {
  const { grays, size } = await graysOf(file, dark);
  const ink = dark ? grays.map((gray) => 255 - gray) : grays;
  const swapped = isBright(ink, size) ? `Ink and paper look swapped: ${dark ? "if the ink is light, take the check mark away." : "if the ink is dark, set the check mark."}` : "";
  const { image, problem } = likeMnist(ink, size);
  return { image, words: swapped || (problem ? `Sorry: ${problem}` : "") };
};

// The sheet to draw on: pointer and keys become strokes. All of it can be pushed: `shift` is how far, and a stroke is kept as it would be without.
const sheetWith = (id, onChange, push) => {
  const canvas = make("canvas", {
    className: "psd-sheet", width: SIDE * ZOOM, height: SIDE * ZOOM, tabIndex: 0,
    attributes: { role: "application", "aria-label": "Sheet to draw a digit on", "aria-describedby": `${id}-help` },
  });
  const sheet = { canvas, strokes: [], base: null, shift: [0, 0], pen: [SIDE / 2, SIDE / 2], down: false, keys: false };
  const context = canvas.getContext("2d");
  let stroke = null;

  sheet.draw = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.save();
    context.translate(...sheet.shift.map((n) => n * ZOOM));
    sheet.base?.forEach((value, i) => {
      context.fillStyle = `rgb(${gray(value)})`;
      context.fillRect((i % SIDE) * ZOOM, Math.floor(i / SIDE) * ZOOM, ZOOM, ZOOM);
    });
    Object.assign(context, { lineWidth: (2 * FULL + EDGE) * ZOOM, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    for (const points of sheet.strokes) {
      context.beginPath();
      points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x * ZOOM, y * ZOOM));
      if (points.length === 1) context.lineTo(points[0][0] * ZOOM, points[0][1] * ZOOM);
      context.stroke();
    }
    context.restore();
    if (!sheet.keys) return;
    context.beginPath();
    context.arc(sheet.pen[0] * ZOOM, sheet.pen[1] * ZOOM, 0.9 * ZOOM, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 0.35 * ZOOM, strokeStyle: "#fff" });
    context.stroke();
    Object.assign(context, { lineWidth: 0.2 * ZOOM, strokeStyle: "#0b57d0", fillStyle: "#0b57d0" });
    context.stroke();
    if (sheet.down) context.fill();
  };
  const unpushed = (point) => point.map((value, axis) => value - sheet.shift[axis]);
  const begin = (point) => { stroke = [unpushed(point)]; sheet.strokes.push(stroke); };
  const lift = () => { stroke = null; sheet.down = false; };
  sheet.isEmpty = () => !sheet.base && !sheet.strokes.length;
  sheet.reset = (base = null) => { lift(); Object.assign(sheet, { strokes: [], base, shift: [0, 0] }); };
  sheet.push = (step) => { lift(); sheet.shift = sheet.shift.map((n, axis) => Math.min(FARTHEST, Math.max(-FARTHEST, n + step[axis]))); };

  // What the classifier sees, grays from 0 to 255: with `center`, strokes on empty paper are sized and centered first
  sheet.pixels = (center) => {
    const strokes = center && sheet.strokes.length && !sheet.base ? asMnist(sheet.strokes) : sheet.strokes;
    const ink = inkOf(moved(strokes, 1, ...sheet.shift));
    const base = sheet.base && pushed(sheet.base, sheet.shift);
    return Uint8Array.from(ink, (value, i) => Math.max(Math.round(255 * value), base?.[i] ?? 0));
  };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const onSheet = (x) => Math.min(SIDE, Math.max(0, x * SIDE));  // a pen that leaves the sheet draws along its edge
    return [onSheet((event.clientX - box.left - canvas.clientLeft) / canvas.clientWidth), onSheet((event.clientY - box.top - canvas.clientTop) / canvas.clientHeight)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    lift();
    sheet.keys = false;
    begin(place(event));
    onChange("Pen");
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || sheet.keys || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) stroke.push(unpushed(place(each)));
    onChange();
  });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => { if (!sheet.keys) lift(); });

  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(move || event.key === " ")) return;
    event.preventDefault();
    event.stopPropagation();
    if (move && event.shiftKey) { push(move); return; }
    sheet.keys = true;
    if (move) {
      sheet.pen = sheet.pen.map((value, axis) => Math.min(SIDE - 2, Math.max(2, value + move[axis])));
      if (sheet.down) stroke.push(unpushed(sheet.pen));
    } else if (sheet.down) lift();
    else { begin(sheet.pen); sheet.down = true; }
    const [column, row] = sheet.pen;
    onChange(`Pen ${sheet.down ? "down" : "up"}, row ${row}, column ${column}.`);
  });
  canvas.addEventListener("blur", () => { lift(); sheet.keys = false; sheet.draw(); });
  return sheet;
};

// A prototype with its distance: its picture, the difference to the drawing, a number, a bar, and a mark if it is the nearest
const cardOf = (name, prototype, mark) => {
  const mean = picture(`The ${name}`);
  const difference = picture(`Your drawing minus the ${name}`);
  const number = make("span", { className: "psd-number" });
  const bar = make("span", { className: "psd-bar" });
  const marked = make("span", { className: "psd-mark" });
  const element = make("div", { className: "psd-card" },
    make("span", { className: "psd-pair" }, mean, difference),
    make("span", { className: "psd-line" }, make("span", { textContent: name }), number, marked),
    make("span", { className: "psd-track", attributes: { "aria-hidden": "true" } }, bar));
  paint(mean, prototype, gray);
  const show = (bytes, distance, measure, nearest) => {
    paint(difference, Array.from(bytes, (value, i) => value - prototype[i]), signed);
    number.textContent = distance.toFixed(4);
    bar.style.width = `${Math.min(100, (100 * distance) / WIDEST[measure])}%`;
    element.classList.toggle("psd-nearest", nearest);
    marked.textContent = nearest ? mark : "";
  };
  return { element, show };
};

// Four buttons that push what is drawn, and one that takes it back; on each of them the arrow keys push
const padOf = (push, back) => {
  const signs = { ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", ArrowRight: "→" };
  const buttons = Object.entries(MOVES).map(([key, move]) => make("button", { type: "button", className: "psd-push", textContent: signs[key], onclick: () => push(move),
    attributes: { "aria-label": `Push ${key.slice(5).toLowerCase()}` } }));
  const home = make("button", { type: "button", className: "psd-push", textContent: "back", onclick: back, attributes: { "aria-label": "Push back to where it was" } });
  const pad = make("div", { className: "psd-pad", attributes: { role: "group", "aria-label": "Push what is drawn by one pixel" } }, make("span", { textContent: "Push it", attributes: { "aria-hidden": "true" } }), ...buttons, home);
  pad.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    push(move);
  });
  return pad;
};

// All ten means in a list, the nearest first, once they are there
const listOf = () => {
  const element = make("ol", { className: "psd-ten", attributes: { "aria-label": "The means of all ten digits, the nearest first" } });
  let prototypes = null;
  let items = [];
  const take = (text) => {
    prototypes = tenOf(text);
    items = prototypes.map((values, k) => {
      const mean = make("canvas", { className: "psd-pixels", width: SIDE, height: SIDE, attributes: { "aria-hidden": "true" } });
      const number = make("span", { className: "psd-number" });
      paint(mean, values, gray);
      return { number, item: make("li", {}, mean, make("span", { textContent: `mean ${k} ` }), number) };
    });
  };
  // The digit whose mean is nearest, and its distance
  const show = (bytes, measure) => {
    const { distances, order } = compare(bytes, prototypes, measure);
    items.forEach(({ number }, k) => { number.textContent = distances[k].toFixed(4); });
    element.replaceChildren(...order.map((k) => items[k].item));
    return [order[0], distances[order[0]]];
  };
  return { element, take, show, isThere: () => prototypes !== null };
};

// Everything that one view shows and does
const render = ({ model, el }) => {
  window.pixelsimDraws = (window.pixelsimDraws ?? 0) + 1;
  const id = `psd-${window.pixelsimDraws}`;
  const labels = model.get("labels");
  const kind = model.get("kind");
  const names = labels.map((label) => `${kind} ${label}`);
  const word = labels.length > 2 ? "nearest" : "nearer";
  const prototypes = prototypesOf(model.get("prototypes"));
  let sent = model.get("pixels");
  let loaded = "";
  let doubted = false; // is there something wrong with what was loaded? Then no answer stands out
  let waiting = 0;
  let frame = 0;

  const says = make("div", { className: "psd-says", attributes: { role: "status" } });
  const pen = make("div", { className: "psd-unseen", attributes: { role: "status" } });
  const seen = picture("What the classifier sees: your drawing in 28 by 28 pixels");
  const hint = make("span", { className: "psd-hint", textContent: "draw here", attributes: { "aria-hidden": "true" } });

  const push = (move) => {
    if (sheet.isEmpty()) { pen.textContent = "The paper is empty: there is nothing to push."; return; }
    sheet.push(move);
    soon();
  };
  const sheet = sheetWith(id, (told) => {
    if (told && told !== "Pen") pen.textContent = told;
    soon();
  }, push);
  const cards = names.map((name, k) => cardOf(name, prototypes[k], word));
  const places = make("div", { className: "psd-cards" }, ...cards.map((card) => card.element));
  // Many cards stand in a race, the nearest first
  const race = (order) => { if (cards.length > 3 && order.some((k, i) => places.children[i] !== cards[k].element)) places.append(...order.map((k) => cards[k].element)); };
  const ten = listOf();

  const isClose = ({ distances, order: [first, second] }) => photos && !sheet.isEmpty() && distances[first] > (1 - UNSURE) * distances[second];
  const verdict = (found, nearestOfTen) => {
    const { distances, order: [first, second] } = found;
    const ofTen = nearestOfTen ? ` Of all ten digits, the mean ${nearestOfTen[0]} is nearest: ${nearestOfTen[1].toFixed(4)}.` : "";
    if (sheet.isEmpty()) return ["Nothing drawn yet.", `A classifier always answers: empty paper is ${word} to the ${names[first]}.${ofTen}`];
    const next = distances.length > 2 ? `, then the ${names[second]},` : " against";
    const what = loaded ? loaded + (sheet.strokes.length ? " with your ink" : "") : sheet.base ? "this image" : "your drawing";
    const where = pushedText(sheet.shift);
    const subject = `${what[0].toUpperCase()}${what.slice(1)}${where ? `, ${where},` : ""} is`;
    if (isClose(found)) return ["Hard to say.", `${subject} only ${Math.round(100 * (1 - distances[first] / distances[second]))}% nearer to the ${names[first]} than to the ${names[second]}: ${distances[first].toFixed(4)} against ${distances[second].toFixed(4)}.${ofTen}`];
    return [`${subject} ${word} to the ${names[first]}:`, `${distances[first].toFixed(4)}${next} ${distances[second].toFixed(4)}.${ofTen}`];
  };

  const busy = (is) => says.setAttribute("aria-busy", String(is));

  // Once nothing has changed for a moment: the sentence, which a screen reader reads, and the pixels for Python
  const settle = (bytes, [first, rest]) => {
    busy(false);
    const strong = says.querySelector("strong") !== null;
    if (says.textContent !== `${first} ${rest}` || strong === doubted) says.replaceChildren(doubted ? first : make("strong", { textContent: first }), ` ${rest}`);
    const text = sheet.isEmpty() ? "" : textOf(bytes);
    if (text === sent) return;
    sent = text;
    model.set("pixels", text);
    model.save_changes();
  };

  const show = (pause = 0) => {
    const bytes = sheet.pixels(model.get("center"));
    const measure = model.get("distance");
    const found = compare(bytes, prototypes, measure);
    paint(seen, bytes, gray);
    sheet.draw();
    hint.hidden = !sheet.isEmpty() || sheet.keys;
    cards.forEach((card, k) => card.show(bytes, found.distances[k], measure, k === found.order[0]));
    race(found.order);
    ten.element.hidden = !(model.get("ten") && ten.isThere());
    more.setAttribute("aria-expanded", String(Boolean(model.get("ten"))));
    for (const radio of radios) radio.checked = radio.value === measure;
    center.checked = model.get("center");
    center.disabled = Boolean(sheet.base);
    centered.hidden = !sheet.base;
    root.classList.toggle("psd-doubt", doubted || isClose(found));
    busy(true);
    clearTimeout(waiting);
    waiting = setTimeout(settle, pause, bytes, verdict(found, ten.element.hidden ? null : ten.show(bytes, measure)));
  };
  const soon = () => { busy(true); cancelAnimationFrame(frame); frame = requestAnimationFrame(() => show(200)); };

  const load = (text, name = "", doubt = false) => {
    [loaded, doubted] = [name, doubt];
    sheet.reset(text ? bytesOf(text) : null);
    show();
  };
  const choose = (trait, value) => { model.set(trait, value); model.save_changes(); show(); };

  // The ten means come when they are asked for: from Python, or on a page from a file of the site
  const bringTen = async () => {
    try {
      const text = model.get("ten") && !ten.isThere() && (model.get("tens") || await window.pixelsimText?.(TEN));
      if (text && !ten.isThere()) ten.take(text);
    } catch { pen.textContent = "The ten means could not be loaded."; }
    show();
  };

  const radios = ["l1", "l2"].map((value) => make("input", { type: "radio", name: id, value, onchange: () => choose("distance", value) }));
  const center = make("input", { type: "checkbox", onchange: () => choose("center", center.checked) });
  const centered = make("span", { textContent: " (done already)" });
  const clear = make("button", { type: "button", textContent: "Clear", onclick: () => { last = null; complaint.textContent = ""; load(""); } });
  const more = make("button", { type: "button", textContent: "All ten digits", hidden: labels.length > 9 || !labels.every((label) => /^\d$/.test(label)), onclick: () => choose("ten", !model.get("ten")) });
  const pad = padOf(push, () => { sheet.shift = [0, 0]; soon(); });
  const examples = model.get("examples").map(({ name, pixels: text }) => {
    const thumb = make("canvas", { width: SIDE, height: SIDE, className: "psd-thumb", attributes: { "aria-hidden": "true" } });
    paint(thumb, bytesOf(text), gray);
    return make("button", { type: "button", onclick: () => load(text, name) }, thumb, name);
  });

  // A picture that is chosen, dropped or pasted; it never leaves this page
  const complaint = make("div", { className: "psd-complaint", attributes: { role: "alert" } });
  const ink = make("input", { type: "checkbox", checked: true, onchange: () => { if (last) take(last); } });
  const chooser = make("input", { type: "file", accept: "image/*", onchange: () => { if (chooser.files.length) take(chooser.files[0]); } });
  let last = null;
  const take = async (file) => {
    last = file;
    try {
      const { image, words } = await pictureOf(file, ink.checked);
      if (file !== last) return; // another one has come meanwhile
      complaint.textContent = words;
      if (image) load(textOf(image), "your picture", words !== "");
    } catch (error) { if (file === last) complaint.textContent = `Sorry: ${error.message}`; }
  };
  const fileIn = (transfer) => [...(transfer?.files ?? [])][0];
  const dropped = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    if (event.type === "drop" && fileIn(event.dataTransfer)) take(fileIn(event.dataTransfer));
  };
  const pasted = (event) => { const file = fileIn(event.clipboardData); if (file) { event.preventDefault(); take(file); } };
  const photos = model.get("photos") === true;

  const panel = (title, className, ...children) => make("div", { className: `psd-panel ${className}` }, make("div", { className: "psd-title", textContent: title }), ...children);
  const root = make("div", { className: "psd" },
    ...(photos ? [make("div", { className: "psd-controls" }, make("label", {}, "Choose a picture, drop or paste one: ", chooser), make("label", {}, ink, " dark ink on light paper")), complaint] : []),
    make("div", { className: `psd-panels${labels.length > 3 ? " psd-many" : ""}` },
      panel("Draw a digit", "psd-left", make("div", { className: "psd-paper" }, sheet.canvas, hint)),
      make("div", { className: "psd-verdict" }, says, pen,
        make("div", { className: "psd-controls" }, clear, ...(examples.length ? [make("span", { className: "psd-or", textContent: "or look at" }), ...examples] : [])),
        pad),
      panel("What the classifier sees", "psd-middle", make("div", { className: "psd-paper psd-grid" }, seen)),
      panel("Distance to", "psd-right", places)),
    make("div", { className: "psd-controls" },
      make("fieldset", { className: "psd-choice" }, make("legend", { className: "psd-unseen", textContent: "Distance" }),
        ...radios.map((radio) => make("label", {}, radio, ` ${radio.value.toUpperCase()} distance`))),
      make("label", {}, center, " size and center it as MNIST did", centered), more),
    ten.element,
    make("div", { className: "psd-help", id: `${id}-help` }, make("span", { textContent:
      "Draw with the mouse or a finger. With keys: the arrows move the pen, Space puts it down and lifts it; with Shift, or on the buttons of \u201cPush it\u201d, they push what is drawn. Beside each "
      + `${kind} image is your drawing minus it: red where you have ink and it has not, blue where it has and you have not.` })));
  el.append(root);
  const forgetKeys = leaveCtrl(root);
  if (photos) {
    for (const kind of ["dragover", "drop"]) root.addEventListener(kind, dropped);
    document.addEventListener("paste", pasted);
  }

  const heard = { "change:pixels": () => { if (model.get("pixels") !== sent) load(sent = model.get("pixels")); }, "change:distance": () => show(), "change:center": () => show(),
    "change:ten": () => bringTen(), "change:tens": () => bringTen() };
  for (const [event, listener] of Object.entries(heard)) model.on(event, listener);
  load(sent);
  bringTen();
  return () => {
    forgetKeys();
    document.removeEventListener("paste", pasted);
    clearTimeout(waiting);
    cancelAnimationFrame(frame);
    for (const [event, listener] of Object.entries(heard)) model.off(event, listener);
  };
};

export default { render, compare, prototypesOf, tenOf, pushed, pictureOf };
