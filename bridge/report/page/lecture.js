// The page: one slider moves every system, tabs change the view.

const content = JSON.parse(document.getElementById("content").textContent);
const byId = (name) => document.getElementById(name);
const GLYPHS = { jammed: "●", unjammed: "○", stalled: "×", dead: "+" };
const MEANING = {
  jammed: "jammed: not all can be satisfied",
  unjammed: "unjammed: all are satisfied",
  stalled: "stalled: no minimum was reached, not counted",
  dead: "dead: its units died, not counted",
};
const CAPTIONS = {
  bodies: "Bodies: lines join those that overlap, as wide as their force is strong; hollow ones are rattlers, which nothing holds.",
  patterns: "Patterns: each is a grain at its gap Δ, and right of zero it is violated.",
  curve: "At the transition the violated constraints per degree of freedom jump from none to a finite number; the ring marks the state shown above.",
  histogram: "Constraints by the size of Δ, each column a quarter of a decade: drag over some to see which bodies or patterns they are, or point at a body to see what acts on it. The columns next to zero also hold those that are closer.",
  spectrum: "At a minimum of U the stiffness H₀ outweighs every negative mode of the prestress Hₚ, so that there can be no more of them than violated constraints.",
};

// One system: its column of panels, the frame that is shown, and what is selected in it.
function makeColumn(system, goTo) {
  const column = { system, goTo, panels: [], parts: [], frame: null, bins: null, body: null };
  const ofBodies = system.frames.length > 0 && system.frames[0].box !== undefined;

  function picked() {
    const none = { constraints: [], around: [], bodies: [], text: "" };
    const { frame, bins, body } = column;
    if (!bins && body === null) return none;
    const codes = countedCodes(frame), all = [...codes.keys()], scene = ofBodies ? sceneOf(frame) : null;
    if (body !== null) {
      const constraints = all.filter((k) => scene.i[k] === body || scene.j[k] === body);
      const touching = constraints.filter((k) => codes[k] > 0);
      const text = scene.held[body] ? `this body: ${touching.length} contacts, ${constraints.length - touching.length} gaps nearby` : "this body is a rattler: nothing holds it";
      return { constraints: touching, around: constraints, bodies: [body], text };
    }
    const grid = column.histogram.bins;
    const constraints = all.filter((k) => codes[k] !== 0 && grid.of(codes[k]) >= bins[0] && grid.of(codes[k]) <= bins[1]);
    const bodies = ofBodies ? [...new Set(constraints.flatMap((k) => [scene.i[k], scene.j[k]]))] : [];
    const chosen = new Set(bodies);
    const around = ofBodies ? all.filter((k) => chosen.has(scene.i[k]) || chosen.has(scene.j[k])) : constraints;
    const what = ofBodies ? `pairs of ${bodies.length} bodies` : "patterns";
    return { constraints, around, bodies, text: `selected: ${constraints.length} ${what}` };
  }

  column.repick = () => {
    const found = picked();
    for (const panel of column.panels) panel.pick?.(column.frame, found);
  };
  column.pickBins = (bins) => { column.bins = bins; column.body = null; column.repick(); };
  column.pickBody = (body) => { if (body !== column.body) { column.body = body; column.repick(); } };
  column.show = (position) => {
    const frames = system.frames.length ? system.frames : system.runs.map((_, run) => ({ run }));
    const away = (frame) => Math.abs(system.runs[frame.run].position - position);
    const frame = frames.reduce((best, one) => (away(one) < away(best) - 1e-9 ? one : best));
    if (column.frame?.run === frame.run) return;
    column.frame = frame;
    column.run = system.runs[frame.run];
    column.body = null;
    for (const panel of column.panels) panel.show(frame, column.run);
    const undecided = ["stalled", "dead"].includes(column.run.status);
    for (const part of column.parts) part.classList.toggle("undecided", undecided);
    column.repick();
  };
  column.ofBodies = ofBodies;
  return column;
}

function countSymbol(after = "") {
  const symbol = document.createDocumentFragment();
  symbol.append("N", element("sub", {}, "Δ"), after);
  return symbol;
}

function headPanel(parent, column) {
  const status = element("div", { class: "status" });
  const list = element("dl");
  const given = Object.entries(column.system.parameters).map(([name, value]) => `${name} ${value}`).join(", ");
  parent.append(element("h2", { title: given }, column.system.name), status, list);
  return {
    show(_, run) {
      status.dataset.status = run.status;
      status.textContent = `${GLYPHS[run.status] ?? ""} ${run.status}`;
      status.title = run.reason || MEANING[run.status] || "";
      const rows = [
        [column.system.load, number(run.load, 4)],
        [countSymbol("/N"), run.n ? `${number(run.ratio)} = ${run.n_constraints}/${run.n}` : "0, nothing is held"],
        ["U/n", number(run.energy, 2)],
        ["pressure", number(run.pressure, 2)],
      ];
      list.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    },
  };
}

function buildSystems(systems, goTo) {
  const columns = systems.map((system) => makeColumn(system, goTo));
  const grid = byId("systems");
  const highest = Math.max(0.1, ...systems.flatMap((system) => system.runs.map((run) => run.ratio)));
  const add = (column, tag, className, make) => {
    const part = element(tag, className ? { class: className } : {});
    grid.append(part);
    column.parts.push(part);
    if (make) column.panels.push(make(part, column));
  };
  const row = (heading, texts, make, needsFrames = true) => {
    grid.append(element("div", { class: "caption" }, element("h2", {}, heading), ...texts.map((text) => element("p", {}, text))));
    for (const column of columns) add(column, "figure", "", needsFrames && !column.system.frames.length ? null : make(column));
  };
  for (const column of columns) add(column, "div", "system", headPanel);
  const drawn = columns.filter((column) => column.system.frames.length);
  if (drawn.length) {
    const kinds = [[true, "bodies"], [false, "patterns"]].filter(([kind]) => drawn.some((column) => column.ofBodies === kind));
    row("The state", kinds.map(([, name]) => CAPTIONS[name]), (column) => (column.ofBodies ? bodiesPanel : patternsPanel));
  }
  row("How many are violated", [CAPTIONS.curve], () => (figure, column) => curvePanel(figure, column, highest), false);
  if (drawn.length) {
    row("Gaps and forces", [CAPTIONS.histogram], (column) => (figure) => (column.histogram = histogramPanel(figure, column)));
    if (drawn.some((column) => column.system.frames.some((frame) => frame.spectrum))) {
      row("Stiffness and prestress", [CAPTIONS.spectrum], () => spectrumPanel);
    }
  }
  return columns;
}

function buildChoice(columns) {
  const boxes = columns.map((column, k) => {
    const box = element("input", { type: "checkbox" });
    box.checked = k < 6;
    box.addEventListener("change", arrange);
    byId("choice").append(element("label", {}, box, column.system.name));
    return box;
  });
  function arrange() {
    if (!boxes.some((box) => box.checked)) boxes[0].checked = true;
    columns.forEach((column, k) => { for (const part of column.parts) part.hidden = !boxes[k].checked; });
    byId("systems").style.setProperty("--columns", boxes.filter((box) => box.checked).length);
  }
  byId("choice").hidden = columns.length < 2;
  arrange();
}

function where(position) {
  const share = Math.round(Math.abs(position) * 100);
  return share ? `${share} % ${position > 0 ? "above" : "below"} the transition` : "at the transition";
}

function buildTransition(systems) {
  const slider = byId("load");
  const stops = [...new Set(systems.flatMap((system) => (system.frames.length ? system.frames.map((frame) => system.runs[frame.run]) : system.runs).map((run) => run.position)))].sort((a, b) => a - b);
  const columns = buildSystems(systems, (position) => goTo(position));
  buildChoice(columns);

  function goTo(position) {
    slider.value = 100 * position;
    for (const column of columns) column.show(position);
    const says = columns.map((column) => `${column.system.name} ${column.run.status} at ${column.system.load} = ${number(column.run.load, 4)}`);
    byId("position").textContent = where(position);
    slider.setAttribute("aria-valuetext", [where(position), ...says].join(", "));
  }
  const now = () => slider.value / 100;
  const next = (way) => (way > 0 ? stops.find((stop) => stop > now() + 0.004) : stops.findLast((stop) => stop < now() - 0.004));
  slider.addEventListener("input", () => goTo(now()));
  slider.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const to = way ? next(way) : { Home: stops[0], End: stops.at(-1) }[event.key];
    if (way || to !== undefined) event.preventDefault();
    if (to !== undefined) goTo(to);
  });
  buildPlay(() => (next(1) === undefined ? stops[0] : now()), () => next(1), goTo);
  goTo(firstOf(stops, columns));
}

// Where to begin: just above the transition, where most systems have jammed.
function firstOf(stops, columns) {
  const jammed = (stop) => columns.filter((column) => { column.show(stop); return column.run.status === "jammed"; }).length;
  const above = stops.filter((stop) => stop > 0);
  const counts = above.map(jammed);
  return above[counts.indexOf(Math.max(...counts))] ?? stops[0];
}

function buildPlay(start, next, goTo) {
  const button = byId("play");
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play the transition");
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    goTo(start());
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
    timer = setInterval(() => { const to = next(); if (to === undefined) stop(); else goTo(to); }, 500);
  });
  byId("load").addEventListener("pointerdown", () => timer !== null && stop());
}

function buildLandscapes(landscapes) {
  return landscapes.map((landscape) => {
    const given = Object.entries(landscape.parameters).map(([name, value]) => `${name} ${value}`).join(", ");
    const parts = landscape.connected ? "" : " Separate trunks have not been connected.";
    const part = element("div", { class: "tree" },
      element("h2", {}, `The landscape of ${landscape.name}${given ? ` (${given})` : ""}`),
      element("p", {}, `Each line ends in one of ${landscape.observables.energy.length} minima and goes up to the lowest of ${landscape.n_saddles} saddles over which it reaches another: point at one, or use the arrow keys, to see what it is.${parts}`));
    byId("landscape").append(part);
    return treePanel(part, landscape);
  });
}

function buildTabs(views, onOpen) {
  const tabs = views.map((name) => byId(`tab-${name}`));
  const open = (k) => {
    views.forEach((name, other) => {
      byId(name).hidden = other !== k;
      tabs[other].setAttribute("aria-selected", other === k);
      tabs[other].tabIndex = other === k ? 0 : -1;
    });
    onOpen();
  };
  tabs.forEach((tab, k) => {
    tab.addEventListener("click", () => open(k));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      open((to + tabs.length) % tabs.length);
      tabs[(to + tabs.length) % tabs.length].focus();
    });
  });
  byId("tabs").hidden = views.length < 2;
  for (const name of ["transition", "landscape"]) if (!views.includes(name)) byId(name).dataset.empty = "";
  open(0);
}

function start() {
  const { systems, landscapes } = content;
  if (systems.length) buildTransition(systems);
  const draws = buildLandscapes(landscapes);
  const redraw = () => { for (const draw of draws) draw(); };
  const views = [systems.length && "transition", landscapes.length && "landscape"].filter(Boolean);
  buildTabs(views, redraw);
  addEventListener("resize", redraw);
  const runs = systems.reduce((sum, system) => sum + system.runs.length, 0);
  const minima = landscapes.reduce((sum, landscape) => sum + landscape.observables.energy.length, 0);
  byId("counts").textContent = [runs && `${runs} runs of ${systems.length} systems`, minima && `${minima} minima`].filter(Boolean).join(", ") + ".";
}

start();
