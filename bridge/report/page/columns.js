// The systems side by side: a column of panels for each, and what is shown and selected in it.

const GLYPHS = { jammed: "●", unjammed: "○", stalled: "×", dead: "+" };
const MEANINGS = {
  jammed: "Forces balance, and not all constraints can be satisfied.",
  unjammed: "All constraints are satisfied.",
  stalled: "No minimum was reached: this run is not counted.",
  dead: "Units of the network died: this run is not counted.",
};
const CAPTIONS = {
  bodies: "Bodies: lines join those that overlap, as wide as their force is strong; hollow ones are rattlers, which nothing holds.",
  solids: "Bodies in space: drag the box, or use the arrow keys, to turn it; the far ones are paler.",
  patterns: "Patterns: each is a grain at its gap Δ, and right of zero it is violated.",
  curve: "At the transition the violated constraints per degree of freedom jump from none to a finite number; the ring marks the state shown above.",
  histogram: "Constraints by the size of Δ, each column a quarter of a decade, those next to zero also for what is closer: drag over some to see which bodies or patterns they are, or point at a body to see what acts on it.",
  spectrum: "At a minimum of U the stiffness H₀ outweighs every negative mode of the prestress Hₚ, so that there can be no more of them than violated constraints.",
};

function countSymbol(after = "") {
  const symbol = document.createDocumentFragment();
  symbol.append("N", element("sub", {}, "Δ"), after);
  return symbol;
}

function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

class Column {
  constructor(system, goTo) {
    this.system = system;
    this.goTo = goTo;
    this.panels = [];
    this.parts = []; // of the page, to be shown or hidden together
    this.hasFrames = system.frames.some((frame) => frame.gaps);
    this.ofBodies = this.hasFrames && system.frames[0].box !== undefined;
    this.inSpace = this.ofBodies && system.frames[0].depth !== undefined;
    this.frame = this.bins = this.body = this.pinned = null;
  }

  add(part, panel) {
    this.parts.push(part);
    if (panel) this.panels.push(panel);
    if (panel instanceof HistogramPanel) this.grid = panel.bins;
  }

  // The state nearest to a position of the slider; the lower one of two that are as near.
  at(position) {
    const away = (frame) => Math.abs(this.system.runs[frame.run].position - position);
    return this.system.frames.reduce((best, one) => (away(one) < away(best) - 1e-9 ? one : best));
  }

  show(position) {
    const frame = this.at(position);
    if (this.frame === frame) return;
    this.frame = frame;
    this.run = this.system.runs[frame.run];
    this.body = this.pinned = null;
    const undecided = this.run.status === "stalled" || this.run.status === "dead";
    for (const part of this.parts) part.classList.toggle("undecided", undecided);
    for (const panel of this.panels) panel.show(frame, this.run);
    this.repick();
  }

  pickBins(bins) {
    this.bins = bins;
    this.body = this.pinned = null;
    this.repick();
  }

  // A body that is clicked stays picked while the pointer is elsewhere, until another state is shown.
  pin(body) {
    this.pinned = body === this.pinned ? null : body;
    this.body = this.pinned;
    this.repick();
  }

  pickBody(body) {
    body ??= this.pinned;
    if (body === this.body) return;
    this.body = body;
    this.repick();
  }

  repick() {
    const found = this.body !== null ? this.ofBody(this.body) : this.bins ? this.ofBins(this.bins) : {};
    const picked = { constraints: [], around: [], bodies: [], text: "", ...found };
    for (const panel of this.panels) panel.pick?.(this.frame, picked);
  }

  ofBody(body) {
    const codes = countedCodes(this.frame), scene = sceneOf(this.frame);
    const around = [...codes.keys()].filter((k) => scene.i[k] === body || scene.j[k] === body);
    const constraints = around.filter((k) => codes[k] > 0);
    const counts = `${counted(constraints.length, "contact")}, ${counted(around.length - constraints.length, "gap")} nearby`;
    return { constraints, around, bodies: [body], text: `this body${scene.held[body] ? "" : ", a rattler"}: ${counts}` };
  }

  ofBins([first, last]) {
    const codes = countedCodes(this.frame), all = [...codes.keys()];
    const within = (bin) => bin >= first && bin <= last;
    const constraints = all.filter((k) => codes[k] !== 0 && within(this.grid.of(codes[k])));
    if (!this.ofBodies) return { constraints, text: `selected: ${counted(constraints.length, "pattern")}` };
    const { i, j } = sceneOf(this.frame);
    const bodies = new Set(constraints.flatMap((k) => [i[k], j[k]]));
    const pairs = `${counted(constraints.length, "pair")} of ${counted(bodies.size, "body", "bodies")}`;
    return { constraints, bodies: [...bodies], text: `selected: ${pairs}` };
  }
}

class HeadPanel {
  constructor(part, column) {
    this.system = column.system;
    this.status = element("div", { class: "status" });
    this.list = element("dl");
    part.append(element("h2", { title: described(this.system.parameters) }, this.system.name), this.status, this.list);
  }

  show(_, run) {
    const { load, transition } = this.system;
    this.status.dataset.status = run.status;
    this.status.textContent = `${GLYPHS[run.status] ?? ""} ${run.status}`;
    this.status.title = run.reason || MEANINGS[run.status] || "";
    const rows = [
      [load, number(run.load, 4)],
      ["transition", transition === null ? "not in this range" : `${load} = ${number(transition, 4)}`],
      [countSymbol("/N"), run.n ? `${number(run.ratio)} = ${run.n_constraints}/${run.n}` : "0, nothing is held"],
      ["U/n", number(run.energy, 2)],
      ["pressure", number(run.pressure, 2)],
    ];
    this.list.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  }
}

function described(parameters) {
  return Object.entries(parameters).map(([name, value]) => `${name.replaceAll("_", " ")} = ${value}`).join(", ");
}

function buildColumns(systems, goTo) {
  const columns = systems.map((system) => new Column(system, goTo));
  const grid = byId("systems");
  const drawn = columns.filter((column) => column.hasFrames);
  const highest = Math.max(0.1, ...systems.flatMap((system) => system.runs.map((run) => run.ratio)));
  const row = (tag, name, make) => {
    for (const column of columns) {
      const part = element(tag, { class: name });
      grid.append(part);
      column.add(part, make(part, column));
    }
  };
  const titled = (title, captions, make) => {
    grid.append(element("div", { class: `caption ${captions.at(-1)}` }, element("h2", {}, title), ...captions.map((name) => element("p", {}, CAPTIONS[name]))));
    row("figure", "", make);
  };
  const ifDrawn = (make) => (part, column) => (column.hasFrames ? make(part, column) : null);
  row("div", "system", (part, column) => new HeadPanel(part, column));
  if (drawn.length) {
    const kinds = [drawn.some((column) => column.ofBodies) && "bodies", drawn.some((column) => !column.ofBodies) && "patterns"];
    const panelOf = (column) => (column.inSpace ? SolidsPanel : column.ofBodies ? BodiesPanel : PatternsPanel);
    if (drawn.some((column) => column.inSpace)) kinds.unshift("solids");
    titled("The state", kinds.filter(Boolean), ifDrawn((part, column) => new (panelOf(column))(part, column)));
  }
  titled("How many are violated", ["curve"], (part, column) => new CurvePanel(part, column, highest));
  if (drawn.length) titled("Gaps and forces", ["histogram"], ifDrawn((part, column) => new HistogramPanel(part, column)));
  if (drawn.some((column) => column.system.frames.some((frame) => frame.spectrum))) {
    titled("Stiffness and prestress", ["spectrum"], ifDrawn((part, column) => new SpectrumPanel(part, column)));
  }
  return columns;
}
