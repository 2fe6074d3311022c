// Lines to put in order: a press adds a line to the program, arrows move it, and each wrong line says what it would do.
import { control, leaveCtrl, listen, make, noteTry } from "./figure.js";

// The numbers of the lines in what was given, each once; a line that is not here any more is left out
export const chosenOf = (given, lines) => [...new Set(given.split("\n").map((text) => lines.findIndex((line) => line.text === text)))].filter((i) => i >= 0);

export const moved = (chosen, from, to) => {
  if (to < 0 || to >= chosen.length) return chosen;
  const rest = chosen.filter((_, i) => i !== from);
  return [...rest.slice(0, to), chosen[from], ...rest.slice(to)];
};

// The place, from 0, of the first line that is out of place; the length if all that are there are right
export const firstWrong = (chosen, right) => {
  const at = chosen.findIndex((line, i) => line !== right[i]);
  return at < 0 ? chosen.length : at;
};

let shown = 0;

const render = ({ model, el }) => {
  shown += 1;
  const id = `pso-${shown}`;
  const [{ key, task }] = model.get("questions");
  const lines = model.get("lines");
  const right = model.get("right");
  const tries = () => model.get("tries")[key] ?? [];
  const chosen = () => model.get("chosen");

  const heading = (name, textContent) => make("p", { className: "psf-small", id: `${id}-${name}`, textContent });
  const pool = make("ul", { className: "psf-pool", attributes: { "aria-labelledby": `${id}-pool` } });
  const program = make("ol", { className: "psf-program", attributes: { "aria-labelledby": `${id}-program` } });
  const reply = make("div", { className: "psf-reply", attributes: { role: "status" } });
  const check = control("button", { type: "button", textContent: "Check" });
  const over = control("button", { type: "button", className: "psf-plain", textContent: "Start over" });
  const root = make("div", { className: "psf psf-order" },
    make("div", { innerHTML: task }),
    make("div", { className: "psf-two" },
      make("div", {}, heading("pool", "Lines to choose from: some of them are wrong."), pool),
      make("div", {}, heading("program", "Your program"), program)),
    reply,
    make("div", { className: "psf-row" }, check, over),
    make("p", { className: "psf-help", textContent: "A line goes to the end of your program. There, the arrows move it, by press or by key, and ✕ or Delete takes it out." }));

  const say = (verdict, ...parts) => {
    reply.className = `psf-reply${verdict ? ` psf-${verdict}` : ""}`;
    reply.replaceChildren(...parts);
  };
  const html = (innerHTML) => make("div", { innerHTML });
  const sentence = (textContent) => make("p", { textContent });
  const isWhole = () => chosen().length === right.length && firstWrong(chosen(), right) === right.length;
  const verdict = () => {
    const now = chosen();
    const at = firstWrong(now, right);
    if (isWhole()) return say("good", make("p", {}, make("strong", { textContent: "Right." }), " It runs in this order, and in no other."));
    if (now.length === 0) return say("", sentence("Choose a line first."));
    if (at === now.length) return say("bad", sentence(`Right so far. ${right.length - at === 1 ? "A line is" : `${right.length - at} lines are`} missing.`));
    const { says } = lines[now[at]];
    say("bad", make("p", {}, make("strong", { textContent: "Not yet. " }), `Line ${at + 1} is the first that ${says ? "is wrong." : "is out of place."}`), ...(says ? [html(says)] : []));
  };

  // Whichever line had the focus has it again when the lists are made anew: `focus` names a list and a place in it
  const set = (now, list, at, part = 0) => {
    model.set("chosen", now);
    model.save_changes();
    const items = [...(list === "pool" ? pool : program).children];
    const item = items[Math.min(at, items.length - 1)];
    (item ? item.querySelectorAll("button")[part] ?? item.querySelector("button") : check).focus();
  };
  const add = (line, at) => {
    set([...chosen(), line], "pool", at);
    const { says } = lines[line];
    say(says ? "bad" : "", sentence(`Added as line ${chosen().length}.`), ...(says ? [html(says)] : []));
  };
  const move = (from, to, part) => {
    if (to < 0 || to >= chosen().length) return;
    set(moved(chosen(), from, to), "program", to, part);
    say("", sentence(`Now line ${to + 1} of ${chosen().length}.`));
  };
  const out = (at, part) => {
    set(chosen().filter((_, i) => i !== at), "program", at, part);
    say("", sentence("Taken out."));
  };

  const keys = (list, work) => list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const item = event.target.closest("li");
    const at = [...list.children].indexOf(item);
    const part = [...item.querySelectorAll("button")].indexOf(event.target);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!work({ at, part, step, gone: ["Delete", "Backspace"].includes(event.key) })) return;
    event.preventDefault();
    event.stopPropagation();
  });
  keys(pool, ({ at, step }) => {
    if (step) pool.children[at + step]?.querySelector("button").focus();
    return step;
  });
  keys(program, ({ at, part, step, gone }) => {
    if (step) move(at, at + step, part);
    else if (gone) out(at, part);
    return step || gone;
  });
  check.addEventListener("click", () => {
    verdict();
    const given = chosen().map((line) => lines[line].text).join("\n");
    if (!given || given === tries().at(-1)?.given) return;
    noteTry(model, key, given, isWhole());
  });
  over.addEventListener("click", () => {
    const others = Object.entries(model.get("tries")).filter(([each]) => each !== key);
    model.set("tries", Object.fromEntries(others));
    set([], "pool", 0);
    say("", sentence("All lines are back, and what you tried is forgotten."));
  });

  const button = (textContent, label, onclick) => control("button", { type: "button", textContent, onclick, attributes: { "aria-label": label } });
  const show = () => {
    const now = chosen();
    pool.replaceChildren(...lines.map((_, line) => line).filter((line) => !now.includes(line)).map((line, at) =>
      make("li", {}, control("button", { type: "button", className: "psf-line", textContent: lines[line].text, onclick: () => add(line, at) }))));
    program.replaceChildren(...now.map((line, at) => {
      const { text } = lines[line];
      return make("li", {}, make("code", { className: "psf-line", textContent: text }), make("span", { className: "psf-moves" },
        button("↑", `move up: ${text}`, () => move(at, at - 1, 0)), button("↓", `move down: ${text}`, () => move(at, at + 1, 1)), button("✕", `take out: ${text}`, () => out(at, 2))));
    }));
    over.disabled = now.length === 0 && tries().length === 0;
  };
  // What was tried another day, unless someone is at work here
  const recall = () => {
    if (chosen().length || !tries().length) return show();
    model.set("chosen", chosenOf(tries().at(-1).given, lines));
    verdict();
  };
  const endings = [listen(model, ["chosen"], show), listen(model, ["tries"], recall), leaveCtrl(root)];
  el.append(root);
  show();
  recall();
  return () => { for (const end of endings) end(); };
};

export default { render };
