(() => {
  "use strict";
  // Everything here is found by attributes of our own: a test may be called like any id or name that there is.
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const tests = [...document.querySelectorAll("details.test")];
  const filter = part("filter"), words = part("words"), model = part("model"), help = part("help");
  const chips = filter ? [...filter.querySelectorAll("[data-filter]")] : [];
  const said = new Map();
  let current = -1;

  document.querySelectorAll("[data-part][hidden]:not([data-part=none]), [data-copy]").forEach((each) => { each.hidden = false; });

  // --- shared texts: put in place when the test that says them is opened --------------------------------------------

  const fill = (test) => {
    test.querySelectorAll("a.same").forEach((link) => {
      const text = document.getElementById(link.hash.slice(1));
      if (!text || !text.closest(".texts")) return;  // a test may be called like a text
      const fold = document.createElement("details"), summary = document.createElement("summary");
      const body = document.createElement("div");
      fold.className = "long";
      body.className = link.parentElement.classList.contains("code") ? "code" : "prose";
      summary.append(...link.childNodes);
      fold.append(summary, body);
      fold.addEventListener("toggle", () => { body.textContent = text.textContent; }, { once: true });
      link.parentElement.replaceWith(fold);
    });
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.test") && event.target.open) fill(event.target);
  }, true);

  // --- filter -------------------------------------------------------------------------------------------------------

  const textOf = (test) => {
    if (!said.has(test)) said.set(test, test.textContent.toLowerCase());
    return said.get(test);
  };
  const visible = () => tests.filter((test) => !test.hidden);
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.filter);
    const name = model ? model.value : "";
    let left = 0;
    for (const test of tests) {
      const fits = (!states.length || states.includes(test.dataset.state)) &&
        (!name || test.dataset.models.split("\n").includes(name)) && wanted.every((word) => textOf(test).includes(word));
      test.hidden = !fits;
      left += fits;
    }
    part("found").textContent = left === tests.length ? "" : `${left} of ${tests.length}`;
    part("none").hidden = left > 0;
    part("list").hidden = left === 0;
    current = -1;
  };
  if (filter) {
    let waiting = 0;
    words.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, tests.length > 200 ? 120 : 0); });
    if (model) model.addEventListener("change", apply);
    chips.forEach((chip) => chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    }));
  }

  // --- links to tests -----------------------------------------------------------------------------------------------

  const follow = () => {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* a stray percent sign is itself */ }
    const found = name && document.getElementById(name);
    if (!found) return;
    for (let each = found.parentElement; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const test = found.closest("details.test");
    if (test) {
      test.hidden = false;
      current = visible().indexOf(test);
      fill(test);
      test.firstElementChild.focus({ preventScroll: true });
    }
    (test || found).scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", follow);
  follow();

  // --- keys ---------------------------------------------------------------------------------------------------------

  const move = (step) => {
    const shown = visible();
    const here = shown.findIndex((test) => test.firstElementChild === document.activeElement);
    current = Math.max(0, Math.min(shown.length - 1, (here >= 0 ? here : current) + step));
    const summary = shown[current] && shown[current].firstElementChild;
    if (summary) { summary.focus({ preventScroll: true }); summary.scrollIntoView({ block: "nearest" }); }
  };
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => { if (words) { words.focus(); words.select(); } },
    "?": () => { if (help.open) help.close(); else help.showModal(); },
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === words) { words.value = ""; apply(); words.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // --- copying, light and dark --------------------------------------------------------------------------------------

  const copied = (button) => {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  const select = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      copied(button);
    } catch {  // not allowed from this place: what is selected can be copied by hand
      select(code);
      if (document.execCommand("copy")) copied(button);
    }
  });

  const root = document.documentElement;
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("replay-agent-theme", value);
      return localStorage.getItem("replay-agent-theme");
    } catch { return null; }  // a file has no memory in some browsers
  };
  const theme = remembered();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  part("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remembered(root.dataset.theme);
  });
})();
