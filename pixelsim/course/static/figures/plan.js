// The four questions of a DataBlock on twelve files: what each file becomes, or the error that fastai raises.
import { control, frameOf, framer, listen, make, setter, shapeText } from "./figure.js";

const parts = (file) => file.split("/");

// By the keys of figure_plan.py: the answers to the four questions, as functions of paths below the folder
export const FOUND = { all: () => true, train: (file) => file.startsWith("train/"), digits: () => false };
export const HELD = { // of a place in the list, and the file: "train", "valid", or "" for neither
  grandparent: (i, file) => ({ train: "train", valid: "valid" })[parts(file)[0]] ?? "",
  testing: (i, file) => ({ train: "train", testing: "valid" })[parts(file)[0]] ?? "",
  both: (i, file) => ({ training: "train", testing: "valid" })[parts(file)[0]] ?? "",
  third: (i) => (i % 3 === 2 ? "valid" : "train"),
};
export const LABEL = { // null where the pattern is not in the path
  parent: (file) => parts(file).at(-2),
  stem: (file) => parts(file).at(-1).replace(/\.[^.]*$/, ""),
  first: (file) => parts(file).at(-1)[0],
  grandparent: (file) => parts(file).at(-3),
  pattern: (file) => /\/(\d)_/.exec(`/${file}`)?.[1] ?? null,
};
export const CHANNELS = { gray: 1, color: 3 };
const BATCH = 4;

// What a plan comes to, as `plan_outcome` of figure_plan.py has it
export const outcomeOf = (files, blocks, items, splitter, labels) => {
  const found = files.filter(FOUND[items]);
  const none = files.map(() => null);
  const stopped = (where, error) => ({ places: files.map(() => ""), labels: none, numbers: none, vocab: [], shape: [], where, error });
  if (!found.length) return stopped("get_items", "TypeError: 'NoneType' object is not iterable");
  const held = new Map(found.map((file, i) => [file, HELD[splitter](i, file)]));
  const places = files.map((file) => held.get(file) ?? "");
  if (!places.includes("train")) return stopped("splitter", "IndexError: list index out of range");
  const told = files.map((file, i) => (places[i] ? LABEL[labels](file) : null));
  const first = files.findIndex((file, i) => places[i] === "train" && told[i] === null);
  if (first >= 0) return { ...stopped("get_y", `AssertionError: Failed to find "re.compile('/(\\\\d)_')" in "${files[first]}"`), places };
  const vocab = [...new Set(told.filter((label, i) => places[i] === "train"))].sort();
  const numbers = told.map((label) => (vocab.includes(label) ? vocab.indexOf(label) : null));
  const size = places.filter((place) => place === "train").length;
  const strange = files.findIndex((file, i) => places[i] === "valid" && numbers[i] === null);
  const error = strange < 0 ? "" : `KeyError: "Label '${told[strange]}' was not included in the training dataset"`;
  return { places, labels: told, numbers, vocab, shape: [Math.min(BATCH, size), CHANNELS[blocks], 28, 28], where: error && "get_y or splitter", error };
};

const QUESTIONS = ["blocks", "items", "splitter", "labels"];
const NAMES = { blocks: "blocks", items: "get_items", splitter: "splitter", labels: "get_y" };
const PLACE = { train: "learn", valid: "held", "": "–" };
const count = (n, one) => `${n} ${one}${n === 1 ? "" : n !== 1 && one.endsWith("s") ? "es" : "s"}`;

const render = ({ model, el }) => {
  const set = setter(model);
  const files = model.get("files");
  const options = model.get("options");
  const now = () => QUESTIONS.map((name, k) => { // an address may hold anything
    const key = model.get("answers")?.[k];
    return options[name].some(([known]) => known === key) ? key : options[name][0][0];
  });
  const asked = outcomeOf(files, "gray", "all", "grandparent", "stem").vocab.length;

  const selects = QUESTIONS.map((name, k) => control("select", { className: "psf-answer", onchange: (event) => set({ answers: now().map((key, i) => (i === k ? event.target.value : key)) }) },
    ...options[name].map(([key, code]) => make("option", { value: key, textContent: code }))));
  const form = QUESTIONS.map((name, k) => make("div", { className: "psf-choose" }, make("label", { className: "psf-plan" }, make("span", { className: "psf-part", textContent: `${NAMES[name]}=` }), selects[k])));

  const cells = files.map(() => ["place", "label", "number"].map(() => make("td", {})));
  const bodies = [...new Set(files.map((file) => file.slice(0, file.lastIndexOf("/") + 1)))].map((folder) => make("tbody", {},
    make("tr", {}, make("th", { textContent: folder, scope: "rowgroup", colSpan: 4, className: "psf-folder" })),
    ...files.flatMap((file, i) => (file.startsWith(folder) ? [make("tr", {}, make("th", { textContent: file.slice(folder.length), scope: "row" }), ...cells[i])] : []))));
  const table = make("table", { className: "psf-table psf-files" }, make("caption", { textContent: "Twelve files, and what becomes of them" }),
    make("thead", {}, make("tr", {}, ...["file", "for", "label", "number"].map((text) => make("th", { textContent: text, scope: "col" })))), ...bodies);
  const facts = make("p", { className: "psf-facts psf-veiled" });
  const error = make("p", { className: "psf-clash psf-veiled" });

  const frame = frameOf({ model, el, title: "The four questions of a DataBlock",
    ask: {
      text: "Eight files are for training, four are held back. Somebody takes the name of each file, without its ending, as its label: get_y=lambda file: file.stem. How many classes will this plan find?",
      truth: () => `It finds ${asked} classes: the vocab is made from the training files alone, and no two of them have the same name.`,
      say: (guess) => guess, fits: (guess) => /^\d{1,4}$/.test(guess), mode: "numeric", complaint: "Type a whole number.",
    },
    stage: [...form, make("div", { className: "psf-scroll" }, table), facts, error], controls: [],
    help: "Twelve of the 14,434 files, with their real names. What stands here is what fastai does with such a plan, its errors word by word." });

  const update = () => {
    frame.lock();
    const answers = now();
    const open = model.get("opened");
    selects.forEach((select, k) => { select.value = answers[k]; });
    const { places, labels, numbers, vocab, shape, where, error: words } = outcomeOf(files, ...answers);
    files.forEach((file, i) => {
      const strange = places[i] === "valid" && labels[i] !== null && numbers[i] === null;
      [PLACE[places[i]], labels[i] ?? "–", strange ? "unknown" : numbers[i] ?? "–"].forEach((text, k) => {
        cells[i][k].textContent = open ? text : "";
        cells[i][k].className = open && strange && k === 2 ? "psf-bad" : "";
      });
    });
    const [learn, held] = ["train", "valid"].map((which) => places.filter((place) => place === which).length);
    facts.textContent = vocab.length ? `vocab ${vocab.join(", ")}; a batch of training images ${shapeText(shape)}` : "no vocab, no batch";
    error.textContent = words;
    frame.show(!words ? `${count(learn, "file")} to learn from, ${held ? `${held} held back` : "none held back, and nothing says so"}; ${count(vocab.length, "class")}${vocab.length === 1 ? ": there is nothing to tell apart, and nothing says so" : ""}.`
      : vocab.length ? `${count(learn, "file")} to learn from, ${held} held back; ${count(vocab.length, "class")}. The first batch of those held back stops: look at ${where}.`
      : `The plan stops before there is any batch: look at ${where}.`);
  };
  const soon = framer(update);
  const end = listen(model, ["answers", "opened", "guess"], soon);
  update();
  return () => { end(); soon.stop(); set.stop(); frame.close(); };
};

export default { render };
