// Turns the questions that pixelsim has written as plain HTML into forms. Needs nothing else, and asks no network.
(() => {
  const script = document.currentScript;
  const around = script && script.closest(".pixelsim-quiz");
  const quizzes = around ? [around] : document.querySelectorAll(".pixelsim-quiz");

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // An element that takes keys itself: without this mark JupyterLab takes arrows, Enter and letters as its shortcuts;
  // those with Ctrl or Cmd, such as the one for saving, it may have. It listens at the document: be there first.
  const control = (tag, properties) => {
    const element = make(tag, properties);
    element.setAttribute("data-lm-suppress-shortcuts", "true");
    return element;
  };

  // What someone typed, as a number; null if it is none
  const toNumber = (text) => {
    let t = text.trim().replace(/[−–]/g, "-").replace(/\s/g, "");
    if (/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(t)) t = t.replace(/,/g, "");
    if (/^-?\d*,\d+$/.test(t)) t = t.replace(",", ".");
    const fraction = t.match(/^(-?\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/);
    if (fraction) return Number(fraction[2]) ? Number(fraction[1]) / Number(fraction[2]) : null;
    const percent = t.match(/^(-?\d+(?:\.\d+)?)%$/);
    if (percent) return Number(percent[1]) / 100;
    return /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(t) ? Number(t) : null;
  };

  // What someone typed, as a shape such as "28,28", or "" for a single number; null if it is none
  const toShape = (text) => {
    const t = text.replace(/torch\.size/gi, "").replace(/[×x*]/gi, ",").trim();
    if (!/^[\s\d,()[\]]+$/.test(t)) return null;
    const sizes = t.match(/\d+/g);
    return sizes ? sizes.map(Number).join(",") : /^[([]\s*,?\s*[)\]]$/.test(t) ? "" : null;
  };

  const build = (root, prefix) => {
    const questions = [...root.querySelectorAll(".psq-question")];
    const solved = new Set();
    const score = make("p", { className: "psq-score" });
    const showScore = () => { score.textContent = `${solved.size} of ${questions.length} right`; };

    questions.forEach((question, at) => {
      const { kind, tolerance } = question.dataset;
      const id = `${prefix}-${at + 1}`;
      const asks = question.querySelector(".psq-asks");
      const number = question.querySelector(".psq-number");
      number.id = `${id}-number`;
      asks.id = `${id}-asks`;
      const options = [...question.querySelectorAll(".psq-answers > details")].map((details) => ({
        verdict: details.className.replace("psq-", ""),
        answer: details.dataset.answer,
        summary: details.querySelector("summary"),
        says: details.querySelector(".psq-says"),
      }));
      const feedback = make("div", { className: "psq-feedback" });
      feedback.setAttribute("role", "status");
      const fieldset = make("fieldset");
      fieldset.setAttribute("aria-labelledby", `${id}-number ${id}-asks`);
      const check = control("button", { type: "submit", textContent: "Check" });
      check.setAttribute("aria-describedby", `${id}-number`);
      const form = make("form", { noValidate: true }, fieldset, feedback);

      const tell = (verdict, ...nodes) => {
        feedback.className = `psq-feedback ${{ right: "psq-good", none: "" }[verdict] ?? "psq-bad"}`;
        feedback.replaceChildren(...nodes);
        if (verdict === "right") solved.add(at);
        showScore();
      };
      const says = (option) => [...option.says.cloneNode(true).childNodes];
      const choices = [];
      let input;

      if (kind === "choice") {
        options.forEach((option) => {
          const radio = control("input", { type: "radio", name: id, value: option.answer });
          const text = make("span");
          text.append(...option.summary.cloneNode(true).childNodes);
          const label = make("label", { className: "psq-choice" }, radio, text);
          choices.push({ option, radio, label });
          fieldset.append(label);
        });
      } else {
        input = control("input", { type: "text", autocomplete: "off", spellcheck: false, id: `${id}-input` });
        input.setAttribute("aria-describedby", `${id}-asks`);
        input.setAttribute("placeholder", kind === "shape" ? "for example (2, 3)" : "a number");
        fieldset.append(make("span", { className: "psq-field" },
          make("label", { htmlFor: input.id, textContent: kind === "shape" ? "Shape" : "Number" }), input));
      }
      fieldset.append(check);

      const checkChoice = () => {
        const chosen = choices.find(({ radio }) => radio.checked);
        if (!chosen) return tell("none", "Choose an answer first.");
        chosen.label.classList.add(chosen.option.verdict === "right" ? "psq-is-right" : "psq-is-wrong");
        tell(chosen.option.verdict, ...says(chosen.option));
      };

      const checkText = () => {
        const given = kind === "shape" ? toShape(input.value) : toNumber(input.value);
        if (given === null) {
          return tell("none", kind === "shape" ? "Write a shape as sizes in brackets, such as (2, 3), or () for a single number."
            : "Write a number, such as 0.25 or 1/4.");
        }
        const agrees = ({ verdict, answer }) => verdict !== "otherwise" && (kind === "shape" ? answer === given
          : Math.abs(Number(answer) - given) <= Number(tolerance) + 1e-9 * Math.abs(given));
        const found = options.find(agrees) ?? options.find(({ verdict }) => verdict === "otherwise");
        input.classList.remove("psq-is-right", "psq-is-wrong");
        input.classList.add(found.verdict === "right" ? "psq-is-right" : "psq-is-wrong");
        const opening = make("strong", { textContent: found.verdict === "right" ? "Right. " : "Not this. " });
        const nodes = says(found);
        if (found.verdict === "right") nodes[0].querySelector("strong").remove();
        nodes[0].prepend(opening);
        tell(found.verdict, ...nodes);
      };

      const answered = (event) => {
        event.preventDefault();
        (kind === "choice" ? checkChoice : checkText)();
      };
      form.addEventListener("submit", answered);
      // JupyterLab keeps Enter from submitting a form, so it is heard here
      input?.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) answered(event); });
      question.querySelector(".psq-answers").replaceWith(form);
    });

    root.querySelector(".psq-how")?.remove();
    questions.at(-1)?.after(score);
    showScore();
  };

  window.addEventListener("keydown", ({ target, ctrlKey, metaKey }) => {
    if (target.closest?.(".pixelsim-quiz")) target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
  }, true);
  for (const root of quizzes) {
    if (root.classList.contains("psq-live")) continue;
    root.classList.add("psq-live");
    window.pixelsimQuizzes = (window.pixelsimQuizzes ?? 0) + 1;
    build(root, `psq-${window.pixelsimQuizzes}`);
  }
})();
