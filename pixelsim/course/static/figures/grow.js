// A mean that grows: from one image of each class to all of them, and how well a rule with such means does.
import { bytesOf, clamp, colorsOf, fixed, frameOf, framer, grouped, listen, make, numberOf, onTheme, setter, sharp, sliderOf, wholeOf } from "./figure.js";

const SIDE = 28;
const TALL = 150;
const PAD = { left: 44, right: 14, top: 12, bottom: 26 };

// The step whose count is nearest to a place from 0 to 1 on a scale where each factor of ten is as long as the next
export const stepAt = (counts, place) => {
  const wanted = place * Math.log(counts[counts.length - 1]);
  let best = 0;
  counts.forEach((count, i) => { if (Math.abs(Math.log(count) - wanted) < Math.abs(Math.log(counts[best]) - wanted)) best = i; });
  return best;
};

const render = ({ model, el }) => {
  const set = setter(model);
  const counts = model.get("counts");
  const classes = model.get("classes");
  const sizes = model.get("sizes");
  const right = model.get("right");
  const total = model.get("total");
  const errors = model.get("errors");
  const all = bytesOf(model.get("means"));
  const meanOf = (step, k) => all.subarray((step * 2 + k) * SIDE * SIDE, (step * 2 + k + 1) * SIDE * SIDE);
  const last = counts.length - 1;
  const now = () => wholeOf(model.get("step"), 0, last);
  const named = (step) => classes.map((label, k) => { const n = Math.min(counts[step], sizes[k]); return n === 1 ? `one ${label}` : `${grouped(n)} ${label}s`; }).join(" and ");
  const asked = model.get("asked");

  const images = classes.map((label) => make("canvas", { className: "psf-mean", width: SIDE, height: SIDE, attributes: { role: "img" } }));
  const captions = classes.map(() => make("figcaption", { className: "psf-small" }));
  const chart = make("canvas", { className: "psf-chart psf-veiled", attributes: { role: "img", "aria-label": "Accuracy against the number of images in the means" } });
  const facts = make("p", { className: "psf-facts psf-veiled" });
  const go = (step) => set({ step: clamp(step, 0, last) });
  const slider = sliderOf(0, last, "images of each class in the means", now, go);

  const frame = frameOf({ model, el, title: "A mean that grows",
    ask: { text: `You make the means not of six thousand images, but of ${named(asked)}, and say the digit whose mean is nearer. What share of the ${grouped(total)} validation images do you get right, in percent?`,
      truth: () => `${fixed((100 * right[asked]) / total, 1)}% with ${named(asked)}; ${fixed((100 * right[last]) / total, 1)}% with all.`,
      say: (guess) => `${numberOf(guess)}%`, fits: (guess) => numberOf(guess) !== null, unit: "%", mode: "decimal", complaint: "Type a number from 0 to 100." },
    stage: [make("div", { className: "psf-pair" }, ...images.map((image, k) => make("figure", { className: "psf-figure" }, image, captions[k]))), facts, chart],
    controls: [make("div", { className: "psf-row" }, make("label", { className: "psf-long" }, "images in each mean ", slider))],
    help: "The first images of the training set, one more with each step at first, and then ever more. The arrow keys take one step, Page Up and Page Down ten; or click the curve." });

  const place = (step, width) => PAD.left + (Math.log(counts[step]) / Math.log(counts[last])) * (width - PAD.left - PAD.right);
  const paint = (step) => {
    images.forEach((image, k) => {
      const context = image.getContext("2d");
      const pixels = context.createImageData(SIDE, SIDE);
      meanOf(step, k).forEach((value, i) => pixels.data.set([255 - value, 255 - value, 255 - value, 255], 4 * i));
      context.putImageData(pixels, 0, 0);
    });
    const width = chart.clientWidth || 600;
    const colors = colorsOf(frame.root);
    const low = Math.min(0.5, ...right.map((n) => n / total));
    const y = (share) => PAD.top + ((1 - share) / (1 - low)) * (TALL - PAD.top - PAD.bottom);
    const context = sharp(chart, width, TALL);
    Object.assign(context, { font: "12px system-ui, sans-serif", fillStyle: colors.ink, strokeStyle: colors.line, lineWidth: 1, textAlign: "right" });
    for (const share of [0.5, 0.75, 1].filter((share) => share >= low)) {
      context.fillText(fixed(share, 2), PAD.left - 8, y(share) + 4);
      context.beginPath();
      context.moveTo(PAD.left, y(share));
      context.lineTo(width - PAD.right, y(share));
      context.stroke();
    }
    context.textAlign = "center";
    for (const count of [1, 10, 100, 1000]) if (count <= counts[last]) context.fillText(grouped(count), PAD.left + (Math.log(count) / Math.log(counts[last])) * (width - PAD.left - PAD.right), TALL - 8);
    Object.assign(context, { strokeStyle: colors.high, lineWidth: 2 });
    context.beginPath();
    right.forEach((n, i) => context[i ? "lineTo" : "moveTo"](place(i, width), y(n / total)));
    context.stroke();
    context.fillStyle = colors.ink;
    context.beginPath();
    context.arc(place(step, width), y(right[step] / total), 5, 0, 7);
    context.fill();
  };

  const update = () => {
    frame.lock();
    const step = now();
    paint(step);
    slider.value = step;
    slider.setAttribute("aria-valuetext", `${named(step)}: accuracy ${fixed(right[step] / total, 4)}`);
    captions.forEach((caption, k) => { caption.textContent = step ? `mean of ${grouped(Math.min(counts[step], sizes[k]))} ${classes[k]}s` : `one ${classes[k]}`; });
    images.forEach((image, k) => image.setAttribute("aria-label", captions[k].textContent));
    facts.textContent = `accuracy ${fixed(right[step] / total, 4)}; the mean ${classes[0]} is ${fixed(errors[step], 4)} from that of all ${grouped(sizes[0])}`;
    frame.show(`With the means of ${named(step)}, ${grouped(right[step])} of ${grouped(total)} validation images are right, ${fixed(right[step] / total, 4)}.`);
  };
  const soon = framer(update);
  chart.addEventListener("click", (event) => {
    const box = chart.getBoundingClientRect();
    if (model.get("opened")) go(stepAt(counts, clamp((event.clientX - box.left - PAD.left) / (box.width - PAD.left - PAD.right), 0, 1)));
  });
  const endings = [listen(model, ["step", "opened", "guess"], soon), onTheme(soon)];
  const watched = new ResizeObserver(soon);
  watched.observe(chart);
  update();
  return () => { for (const end of endings) end(); watched.disconnect(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
