// What the pages do beyond reading: nothing here needs a kernel, a network or another host.
(() => {
  const scrolling = "pre, .table-wrapper, .math-wrapper";

  // Whoever has no mouse can scroll what is too wide.
  function reachable() {
    for (const box of document.querySelectorAll(scrolling)) {
      const wide = box.scrollWidth > box.clientWidth + 1;
      if (wide) {
        box.tabIndex = 0;
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", { PRE: "code or output" }[box.tagName] || "table or equation");
      } else if (box.getAttribute("role") === "region") {
        box.removeAttribute("tabindex");
        box.removeAttribute("role");
        box.removeAttribute("aria-label");
      }
    }
  }

  // A link to something folded away unfolds it.
  function targeted() {
    try { return document.getElementById(decodeURIComponent(location.hash.slice(1))); }
    catch { return null; }  // an address that someone mistyped
  }
  function unfold() {
    const target = targeted();
    if (!target) return;
    const inside = target.matches(".reference") ? target.querySelector("details") : null;
    for (let fold = inside || target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  }

  // On paper nothing can be unfolded, so a leader's sheet has its solutions and answers on it. Other pages are printed as they stand.
  let closed = [];
  function unfoldForPaper() {
    closed = [...document.querySelectorAll("#exercises-for-pairs details:not([open]), #exit-card details:not([open])")];
    for (const fold of closed) fold.open = true;
  }
  function foldAgain() {
    for (const fold of closed) fold.open = false;
    closed = [];
  }

  addEventListener("beforeprint", unfoldForPaper);
  addEventListener("afterprint", foldAgain);
  addEventListener("hashchange", unfold);
  addEventListener("resize", reachable);
  addEventListener("toggle", reachable, true);
  addEventListener("DOMContentLoaded", () => {
    reachable();
    unfold();
  });
})();
