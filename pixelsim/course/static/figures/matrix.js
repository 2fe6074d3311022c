// The confusion matrix that opens: counts of what it was and what was said, and behind each cell some of its images.
import { clamp, control, fixed, frameOf, framer, grouped, listen, make, setter, spriteOf, thumbOf } from "./figure.js";

// Of a matrix of counts, rows what it was: the fullest cell beside the diagonal, as [row, column]; of equals the first
export const fullest = (counts) => {
  let best = null;
  counts.forEach((row, r) => row.forEach((n, c) => { if (r !== c && (!best || n > counts[best[0]][best[1]])) best = [r, c]; }));
  return best;
};

// Right answers as a share of the row, and of the column; null where there is nothing to share
export const recallOf = (counts, k) => {
  const all = counts[k].reduce((sum, n) => sum + n, 0);
  return all ? counts[k][k] / all : null;
};
export const precisionOf = (counts, k) => {
  const all = counts.reduce((sum, row) => sum + row[k], 0);
  return all ? counts[k][k] / all : null;
};

// How dark a cell is, from 0 to 1, so that small counts show as well
export const shadeOf = (n, most) => (most ? Math.sqrt(n / most) : 0);

// What someone typed as a cell, such as "7 1": the places of two different classes; null if it is none
export const cellOf = (text, classes) => {
  const words = text.trim().split(/[\s,;→>()-]+/).filter(Boolean);
  const places = (words.length === 1 && words[0].length === 2 ? [...words[0]] : words).map((word) => classes.indexOf(word));
  return places.length === 2 && !places.includes(-1) && places[0] !== places[1] ? places : null;
};

const mixed = (share) => [255, 255, 255].map((white, i) => Math.round(white + ([8, 69, 148][i] - white) * share));
const written = (share) => (share === null ? "undefined" : fixed(share, 4));

const render = ({ model, el }) => {
  const set = setter(model);
  const classes = model.get("classes");
  const rules = model.get("rules"); // of each its name, counts, and in each cell which images are shown
  const k = classes.length;
  const place = (n) => clamp(Math.trunc(Number(n)) || 0, 0, k - 1);
  const now = () => {
    const rule = rules.find(({ name }) => name === model.get("rule")) ?? rules[0];
    const picked = model.get("picked");
    return { rule, picked: Array.isArray(picked) && picked.length === 2 ? picked.map(place) : [0, 0] };
  };
  const asked = rules.find(({ name }) => name === model.get("asked")) ?? rules[0];
  const top = fullest(asked.counts);
  const wrongs = asked.counts.reduce((sum, row, r) => sum + row.reduce((part, n, c) => part + (r === c ? 0 : n), 0), 0);
  const pairText = ([r, c]) => `${classes[r]} called ${classes[c]}`;

  const boxes = classes.map((was, r) => classes.map((said, c) => {
    const box = make("td", { className: "psf-square", attributes: { role: "gridcell", "data-lm-suppress-shortcuts": "true" } });
    if (r === c) box.classList.add("psf-diagonal");
    box.addEventListener("click", () => { if (model.get("opened")) set({ picked: [r, c] }); });
    box.addEventListener("keydown", (event) => walk(event, r, c));
    return box;
  }));
  const head = (text, scope) => make("th", { scope, textContent: text, attributes: { role: scope === "col" ? "columnheader" : "rowheader" } });
  const tops = classes.map((said) => head(said, "col"));
  const sides = classes.map((was) => head(was, "row"));
  const grid = make("table", { className: "psf-table psf-matrix", attributes: { role: "grid", "aria-label": "Confusion matrix: a row for what it was, a column for what was said" } },
    make("thead", { attributes: { role: "rowgroup" } }, make("tr", { attributes: { role: "row" } }, make("th", { className: "psf-corner", scope: "col", attributes: { role: "columnheader" }, textContent: "was" }), ...tops)),
    make("tbody", { attributes: { role: "rowgroup" } }, ...boxes.map((row, r) => make("tr", { attributes: { role: "row" } }, sides[r], ...row))));
  const heading = make("p", { className: "psf-small psf-veiled" });
  const draw = spriteOf(model.get("images"), () => soon());
  const thumbs = make("div", { className: "psf-thumbs psf-veiled" });
  const gauges = [0, 1].map(() => {
    const name = make("strong");
    const bar = make("span", { className: "psf-meter" });
    const number = make("span", { className: "psf-number" });
    return { name, bar, number, row: make("div", { className: "psf-gauge psf-veiled" }, name, make("span", { className: "psf-track", attributes: { "aria-hidden": "true" } }, bar), number) };
  });
  const radios = rules.map(({ name }) => control("input", { type: "radio", value: name, onchange: () => set({ rule: name }) }));
  const jump = control("button", { type: "button", className: "psf-plain", textContent: "the fullest cell", onclick: () => set({ picked: fullest(now().rule.counts) }) });

  const frame = frameOf({ model, el, title: "The matrix that opens",
    ask: { text: `By ${asked.name}, ${grouped(wrongs)} of the ${grouped(asked.counts.flat().reduce((sum, n) => sum + n, 0))} images are called something that they are not. Which mistake is the most frequent? Type what it is, then what it is called, such as ${classes[k - 1]} ${classes[0]}.`,
      truth: () => `Most often a ${classes[top[0]]} is called ${classes[top[1]]}: ${grouped(asked.counts[top[0]][top[1]])} images.`,
      say: (guess) => {
        const cell = cellOf(guess, classes);
        return cell ? `a ${pairText(cell)}, of which there are ${grouped(asked.counts[cell[0]][cell[1]])}` : guess;
      },
      fits: (guess) => cellOf(guess, classes) !== null, complaint: `Type two different ones of ${classes.join(", ")}, such as ${classes[k - 1]} ${classes[0]}.` },
    stage: [make("div", { className: "psf-pair" }, make("div", {}, make("p", { className: "psf-small", textContent: "Rows: what it was. Columns: what was said." }), grid), make("div", { className: "psf-beside psf-opening" }, heading, thumbs, ...gauges.map(({ row }) => row)))],
    controls: [make("div", { className: "psf-row" }, ...radios.map((radio) => make("label", {}, radio, ` ${radio.value}`)), jump)],
    help: "Click on a cell, or move with the arrow keys: some of its images come up. What is right stands on the diagonal, in a frame. The darker a cell, the more images." });
  radios.forEach((radio) => { radio.name = `${frame.id}-rule`; });

  let before = null;
  grid.addEventListener("focusin", ({ relatedTarget }) => { if (!grid.contains(relatedTarget)) before = now().picked; });
  function walk(event, r, c) {
    if (event.ctrlKey || event.metaKey || event.altKey || !model.get("opened")) return;
    const next = { ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], PageUp: [0, c], PageDown: [k - 1, c], Home: [r, 0], End: [r, k - 1], Escape: before ?? [r, c], Enter: [r, c], " ": [r, c] }[event.key];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    const to = next.map(place);
    set({ picked: to });
    update();
    boxes[to[0]][to[1]].focus();
  }

  const update = () => {
    frame.lock();
    const open = model.get("opened");
    const { rule, picked: [row, column] } = now();
    const { counts, shown } = rule;
    const most = Math.max(...counts.flat());
    boxes.forEach((line, r) => line.forEach((box, c) => {
      const share = open ? shadeOf(counts[r][c], most) : 0;
      box.textContent = open ? counts[r][c] : "";
      box.style.backgroundColor = `rgb(${mixed(share)})`;
      box.style.color = share > 0.55 ? "#fff" : "#000";
      box.setAttribute("aria-label", `was ${classes[r]}, said ${classes[c]}${open ? `: ${counts[r][c]}` : ""}`);
      box.setAttribute("aria-selected", String(open && r === row && c === column));
      box.classList.toggle("psf-here", open && r === row && c === column);
      box.tabIndex = open && r === row && c === column ? 0 : -1;
    }));
    tops.forEach((each, c) => each.classList.toggle("psf-right", open && c === column));
    sides.forEach((each, r) => each.classList.toggle("psf-right", open && r === row));
    const n = counts[row][column];
    const some = shown[row][column];
    heading.textContent = n ? `Was ${classes[row]}, said ${classes[column]}: ${grouped(n)} ${n === 1 ? "image" : "images"}${some.length < n ? `, ${some.length} of them here` : ""}` : `Was ${classes[row]}, said ${classes[column]}: none`;
    thumbs.replaceChildren(...some.map((at) => {
      const thumb = thumbOf({ className: "psf-thumb psf-opens", attributes: { role: "img", "aria-label": `a ${classes[row]}` } });
      if (open && draw) draw(thumb, at);
      return thumb;
    }));
    [[`recall of the ${classes[row]}`, recallOf(counts, row)], [`precision of the ${classes[column]}`, precisionOf(counts, column)]].forEach(([name, share], i) => {
      gauges[i].name.textContent = name;
      gauges[i].bar.style.width = `${100 * (share ?? 0)}%`;
      gauges[i].number.textContent = written(share);
    });
    for (const radio of radios) radio.checked = radio.value === rule.name;
    const were = counts[row].reduce((sum, each) => sum + each, 0);
    const said = counts.reduce((sum, line) => sum + line[column], 0);
    frame.show(`${rule.name}: of ${grouped(were)} images of a ${classes[row]}, ${grouped(n)} ${n === 1 ? "is" : "are"} called ${classes[column]}; ${grouped(counts[row][row])} are right (recall ${written(recallOf(counts, row))}). `
      + `Of ${grouped(said)} that are called ${classes[column]}, ${grouped(counts[column][column])} are right (precision ${written(precisionOf(counts, column))}).`);
  };
  const soon = framer(update);
  const end = listen(model, ["rule", "picked", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
