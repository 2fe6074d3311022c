// Brings the widgets of a published page to life: no kernel, no network, and no module to load, which browsers refuse to
// do for a page opened from the disk. tools/widgets.py puts the modules in window.pixelsimWidgets, in front of this.
(() => {
  // As much of a widget's model as an anywidget module asks for; there is no Python to save changes for
  const modelOf = (state) => {
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
      save_changes: () => {},
      send: () => {},
    };
  };

  // What is in the page, a picture with words, stays unless the widget has come up
  const bring = async (place) => {
    try {
      const state = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
      const model = modelOf(state);
      const el = document.createElement("div");
      await window.pixelsimWidgets[place.dataset.widget].render({ model, el });
      place.replaceChildren(el);
      place.model = model;
    } catch (error) {
      console.error("a widget stays a picture:", error);
    }
  };

  const all = () => { for (const place of document.querySelectorAll(".pixelsim-widget[data-widget]")) bring(place); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
