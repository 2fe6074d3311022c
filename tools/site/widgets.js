// Brings the widgets of a published page to life: no kernel, no network, and no module to load, which browsers refuse to
// do for a page opened from the disk. tools/widgets.py makes of each a script that puts it in window.pixelsimWidgets.
(() => {
  const home = document.currentScript.src;
  window.pixelsimWidgets = {};
  window.pixelsimTexts = {};

  // A script beside this one, which only some pages need: loaded once
  const loads = {};
  const load = (name) => (loads[name] ??= new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("script"), { src: new URL(name, home).href, onload: resolve, onerror: () => { delete loads[name]; reject(new Error(`no ${name}`)); } }));
  }));
  window.pixelsimText = (name) => load(name).then(() => window.pixelsimTexts[name]);

  // What a link holds, of one figure: #bar-ink:threshold=0.2&on=valid. Each value is read as what the figure has there now.
  const sentTo = (place, state) => {
    const [, figure, values] = location.hash.slice(1).match(/^([^:]*):(.*)$/) ?? [];
    const found = {};
    let sent;
    try { sent = new URLSearchParams(decodeURIComponent(figure ?? "") === place.dataset.figure ? values : ""); }
    catch { return found; }  // a damaged link
    for (const name of place.dataset.address.split(" ")) {
      if (!sent.has(name)) continue;
      const text = sent.get(name);
      try {
        const value = typeof state[name] === "string" ? text : JSON.parse(text);
        if (typeof value === typeof state[name] && Array.isArray(value) === Array.isArray(state[name])) found[name] = value;
      } catch { /* it stays as it is */ }
    }
    return found;
  };
  const linkTo = (place, state) => {
    const values = new URLSearchParams(place.dataset.address.split(" ").map((name) => [name, typeof state[name] === "string" ? state[name] : JSON.stringify(state[name])]));
    history.replaceState(history.state, "", `#${encodeURIComponent(place.dataset.figure)}:${values}`);
  };

  // A guess stays in this browser
  const keyOf = (place) => `pixelsim-guess:${place.dataset.figure}`;
  const kept = (place) => { try { return JSON.parse(localStorage.getItem(keyOf(place))) ?? {}; } catch { return {}; } };
  const keep = (place, { guess, opened }) => { try { localStorage.setItem(keyOf(place), JSON.stringify({ guess, opened })); } catch { /* it is forgotten then */ } };

  // So do answers, of all pages together: by question, each try
  const ANSWERS = "pixelsim-answers";
  let answers = {};
  const recall = () => {
    let kept;
    try { kept = JSON.parse(localStorage.getItem(ANSWERS)); } catch { return; }  // they are as they were on this page
    const sound = (tries) => Array.isArray(tries) && tries.length && tries.every((each) => typeof each?.given === "string");
    answers = Object.fromEntries(Object.entries(kept ?? {}).filter(([, tries]) => sound(tries)));
  };
  const askers = []; // what shows answers
  const tell = ({ model, keys, place }) => {
    model.set("tries", Object.fromEntries(keys.filter((key) => key in answers).map((key) => [key, answers[key]])));
    if (model.get("once") && model.get("questions").every(({ key }) => key in answers)) unfold(place);
  };
  const answer = (tries, keys) => {
    recall();
    for (const key of keys) if (key in tries) answers[key] = tries[key]; else delete answers[key];
    try { localStorage.setItem(ANSWERS, JSON.stringify(answers)); } catch { /* they are forgotten then */ }
    askers.forEach(tell);
  };
  window.addEventListener("storage", ({ key }) => { if (key === ANSWERS) { recall(); askers.forEach(tell); } });
  recall();
  // What answers a prediction is folded until it is made: all that is marked so, as far as the next one
  const unfold = (place) => {
    const all = [...document.querySelectorAll(".pixelsim-widget[data-once], .cell.tag_hide-output details, details.after")];
    for (const each of all.slice(all.indexOf(place) + 1)) {
      if (each.matches(".pixelsim-widget")) break;
      each.open = true;
    }
  };

  // As much of a widget's model as an anywidget module asks for; there is no Python to save changes for
  const modelOf = (state, save = () => {}) => {
    const heard = {};
    return {
      get: (name) => state[name],
      set: (name, value) => {
        if (state[name] === value) return;
        state[name] = value;
        for (const listener of [...(heard[`change:${name}`] ?? [])]) listener();
      },
      on: (event, listener) => { (heard[event] ??= new Set()).add(listener); },
      off: (event, listener) => { if (listener) heard[event]?.delete(listener); else delete heard[event]; },
      save_changes: save,
      send: () => {},
    };
  };

  // What is in the page, a picture with words, stays unless the widget has come up
  const bring = async (place) => {
    try {
      const state = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
      let model;
      if (place.dataset.figure) {
        const { guess, opened } = kept(place);
        const sent = sentTo(place, state);
        Object.assign(state, typeof guess === "string" && opened ? { guess, opened: true } : {}, sent, Object.keys(sent).length ? { opened: true } : {});
        if (state.images && !state.images.includes(":")) state.images = new URL(state.images, home).href;
        const known = state.opened;
        model = modelOf(state, () => { if (state.opened && !known) keep(place, state); linkTo(place, state); });
        window.addEventListener("hashchange", () => {
          for (const [name, value] of Object.entries(sentTo(place, state))) model.set(name, value);
        });
        if (Object.keys(sent).length) requestAnimationFrame(() => place.scrollIntoView({ block: "center" }));
      } else if (state.tries) {
        model = modelOf(state, () => answer(state.tries, keys));
        const keys = [...state.questions.map(({ key }) => key), ...state.predictions];
        askers.push({ model, keys, place });
        tell(askers.at(-1));
      } else model = modelOf(state);
      const el = document.createElement("div");
      await load(`widget-${place.dataset.widget}.js`);
      await window.pixelsimWidgets[place.dataset.widget].render({ model, el });
      if (place.dataset.figure) { // which on paper is the picture with words
        const still = document.createElement("div");
        still.append(...place.querySelectorAll(":scope > p"));
        [el.className, still.className] = ["pixelsim-live", "pixelsim-still"];
        place.replaceChildren(el, still);
      } else place.replaceChildren(el);
      place.model = model;
    } catch (error) {
      place.model = null;
      console.error("a widget stays a picture:", error);
    }
  };

  const all = () => { for (const place of document.querySelectorAll(".pixelsim-widget[data-widget]")) bring(place); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
