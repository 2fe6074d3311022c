// Questions with a reply to each answer: a quiz, or predictions, which are made once. What was answered is the trait `tries`.
import { make, control, field, leaveCtrl, listen, noteTry, shapeOf } from "./figure.js";

// What someone typed, as a number; null if it is none
const numberIn = (text) => {
  let t = text.trim().replace(/[−–]/g, "-").replace(/\s/g, "");
  if (/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(t)) t = t.replace(/,/g, "");
  if (/^-?\d*,\d+$/.test(t)) t = t.replace(",", ".");
  const fraction = t.match(/^(-?\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/);
  if (fraction) return Number(fraction[2]) ? Number(fraction[1]) / Number(fraction[2]) : null;
  const percent = t.match(/^(-?\d+(?:\.\d+)?)%$/);
  if (percent) return Number(percent[1]) / 100;
  return /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(t) ? Number(t) : null;
};

const KINDS = {
  choice: { read: (text) => text, same: (answer, given) => answer === given, complaint: "Choose an answer first." },
  number: { read: numberIn, same: (answer, given, tolerance) => Math.abs(answer - given) <= tolerance + 1e-9 * Math.abs(given),
    label: "Number", hint: "a number", complaint: "Write a number, such as 0.25 or 1/4." },
  shape: { read: shapeOf, same: (answer, given) => String(answer) === String(given),
    label: "Shape", hint: "for example (2, 3)", complaint: "Write a shape as sizes in brackets, such as (2, 3), or () for a single number." },
};

// What there is to say of an answer: the option that it is, the one for all others, or null where it is no answer at all
export const replyTo = ({ kind, tolerance, options }, text) => {
  const given = KINDS[kind].read(text);
  if (given === null || given === "") return null;
  return options.find(({ verdict, answer }) => verdict !== "otherwise" && KINDS[kind].same(answer, given, tolerance))
    ?? options.find(({ verdict }) => verdict === "otherwise") ?? null;
};

// Days until a question comes back: after a wrong answer, and after each right one that follows
const DAYS = [1, 3, 7];
const MOST = 5; // questions at once

// A day of the calendar here, as a whole number
export const dayOf = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 864e5;

// The day on which a question comes back, by the first answer of each day; null if it has been right three times running, or was never asked.
// In Python this is `comes_back` in pixelsim/course/due.py.
export const comesBack = (tries) => {
  const first = new Map();
  const dated = tries.map(({ when, right }) => [new Date(when), right]).filter(([when]) => !Number.isNaN(when.getTime()));
  for (const [when, right] of dated.sort(([a], [b]) => a - b)) if (!first.has(dayOf(when))) first.set(dayOf(when), right === true);
  const latest = [...first.values()].reverse();
  const wrong = latest.indexOf(false);
  const running = wrong < 0 ? latest.length : wrong;
  if (!latest.length || running >= DAYS.length) return null;
  return Math.max(...first.keys()) + (wrong < 0 ? DAYS.at(-1) : DAYS[running]);
};

// The questions that are due on a day, the one that has waited longest first
export const dueOf = (tries, today) => Object.entries(tries).map(([key, each]) => [key, comesBack(each)])
  .filter(([, day]) => day !== null && day <= today).sort(([, a], [, b]) => a - b).map(([key]) => key);

const tellDue = (due, tries) => {
  if (due.length > MOST) return `${due.length} questions are due. Here are the ${MOST} that have waited longest; for the others, open this again.`;
  if (due.length) return due.length === 1 ? "One question is due." : `${due.length} questions are due.`;
  const days = Object.values(tries).map(comesBack).filter((day) => day !== null);
  return `Nothing is due today. ${days.length ? `The next question comes back on ${new Date(Math.min(...days) * 864e5).toISOString().slice(0, 10)}.` : "Questions of the quizzes come back here, some days after you have answered them."}`;
};

let shown = 0;

const formOf = (question, number, once, answered) => {
  shown += 1;
  const id = `psq-${shown}`;
  const { kind, options } = question;
  const title = make("p", { className: "psq-number", id: `${id}-number` }, make("strong", { textContent: number }));
  const asks = make("div", { className: "psq-asks", id: `${id}-asks`, innerHTML: question.asks });
  const reply = make("div", { className: "psq-feedback", attributes: { role: "status" } });
  const button = (properties) => control("button", { ...properties, attributes: { "aria-describedby": `${id}-number` } });
  const radios = kind === "choice" ? options.map(({ answer }) => control("input", { type: "radio", name: id, value: answer })) : [];
  const labels = radios.map((radio, i) => make("label", { className: "psq-choice" }, radio, make("span", { innerHTML: options[i].label })));
  const input = kind === "choice" ? null : field({ type: "text", autocomplete: "off", spellcheck: false, id: `${id}-input`, placeholder: KINDS[kind].hint, attributes: { "aria-describedby": `${id}-asks` } });
  const fieldset = make("fieldset", { attributes: { "aria-labelledby": `${id}-number ${id}-asks` } }, ...labels,
    ...(input ? [make("span", { className: "psq-field" }, make("label", { htmlFor: input.id, textContent: KINDS[kind].label }), input)] : []),
    button({ type: "submit", textContent: once ? "Predict" : "Check" }),
    ...(once ? [button({ type: "button", className: "psq-plain", textContent: "just show me", onclick: () => answered("") })] : []));
  const form = make("form", { noValidate: true }, fieldset, reply);
  let followed = ""; // what was typed or chosen stays until there is something new

  const say = (verdict, ...nodes) => {
    reply.className = `psq-feedback ${verdict}`;
    reply.replaceChildren(...nodes);
  };
  const submit = (event) => {
    event.preventDefault();
    const text = input ? input.value : radios.find((radio) => radio.checked)?.value ?? "";
    if (replyTo(question, text)) answered(text);
    else say("", KINDS[kind].complaint);
  };
  form.addEventListener("submit", submit);
  fieldset.addEventListener("input", () => say("")); // what was said of another answer
  // JupyterLab keeps Enter from submitting a form, so it is heard here
  input?.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) submit(event); });

  // Follow what has been answered so far
  const follow = (tries) => {
    const replies = tries.map(({ given }) => replyTo(question, given));
    const isRight = replies.some((each) => each?.verdict === "right");
    const now = JSON.stringify(tries);
    if (now === followed) return isRight;
    followed = now;
    const last = tries.at(-1);
    const found = replies.at(-1);
    const mark = (element, verdict) => { for (const each of ["right", "wrong"]) element.classList.toggle(`psq-is-${each}`, verdict === each); };
    labels.forEach((label, i) => {
      mark(label, replies.includes(options[i]) ? options[i].verdict : null);
      radios[i].checked = last?.given === options[i].answer;
    });
    if (input) {
      input.value = last?.given ?? "";
      mark(input, found && (found.verdict === "right" ? "right" : "wrong"));
    }
    const hadFocus = fieldset.contains(form.getRootNode().activeElement);
    fieldset.disabled = once && tries.length > 0;
    if (!last) say("");
    else if (!found) say("", last.given ? "" : "Not predicted. Read on and see.");
    else {
      const is = found.verdict === "right";
      const text = make("div", { innerHTML: found.says });
      text.firstElementChild.prepend(make("strong", { textContent: is ? "Right. " : "Not this. " }));
      say(is ? "psq-good" : "psq-bad", ...text.childNodes);
    }
    if (hadFocus && fieldset.disabled) { reply.tabIndex = -1; reply.focus(); } // or it would be lost
    return isRight;
  };
  return { element: make("section", { className: "psq-question" }, title, asks, form), follow };
};

const render = ({ model, el }) => {
  const predictions = model.get("predictions");
  const once = model.get("once");
  const again = model.get("again");
  const today = dayOf(new Date());
  const due = again === "due" ? dueOf(model.get("tries"), today) : [];
  const all = model.get("questions");
  const questions = again === "due" ? due.slice(0, MOST).map((key) => all.find((each) => each.key === key)) : all;
  const triesOf = ({ key }) => (model.get("tries")[key] ?? []).filter(({ when }) => !again || dayOf(new Date(when)) === today);
  const answered = (question) => (given) => noteTry(model, question.key, given, replyTo(question, given)?.verdict === "right");
  const forms = questions.map((question, i) => formOf(question,
    once ? (questions.length > 1 ? `Predict, ${i + 1} of ${questions.length}` : "Predict") : `Question ${i + 1} of ${questions.length}`, once, answered(question)));
  const score = make("p", { className: "psq-score", attributes: { role: "status" } });
  const forget = control("button", { type: "button", className: "psq-plain", textContent: `Forget these answers${predictions.length ? " and the predictions" : ""}`, onclick: () => {
    model.set("tries", {});
    model.save_changes();
    el.querySelector("input")?.focus();
  } });
  const root = make("div", { className: "pixelsim-quiz" }, ...(again === "due" ? [make("p", { textContent: tellDue(due, model.get("tries")) })] : []),
    ...forms.map(({ element }) => element), ...(once || !questions.length ? [] : [score]), ...(once || again ? [] : [forget]));
  const tell = () => {
    const tries = model.get("tries");
    const right = forms.map(({ follow }, i) => follow(triesOf(questions[i]))).filter(Boolean).length;
    const foreseen = predictions.filter((key) => tries[key]?.some((each) => each.right)).length;
    const text = `${right} of ${questions.length} right` + (predictions.some((key) => key in tries) ? `; of the lesson's ${predictions.length} predictions, you made ${foreseen} right` : "");
    if (score.textContent !== text) score.textContent = text;
    forget.hidden = !Object.keys(tries).length;
  };
  tell();
  el.append(root);
  const deaf = listen(model, ["tries"], tell);
  const leave = leaveCtrl(root);
  return () => { deaf(); leave(); };
};

export default { render };
