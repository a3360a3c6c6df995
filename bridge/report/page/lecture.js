// The page: one slider moves every system, tabs change the view.

const FIRST_SHOWN = 6; // columns that are shown before one chooses
const PACE = 500; // milliseconds a state

class Slider {
  constructor(systems) {
    this.input = byId("load");
    this.known = systems.some((system) => system.transition !== null);
    this.columns = buildColumns(systems, (position) => this.goTo(position));
    const positions = systems.flatMap(({ frames, runs }) => frames.map(({ run }) => runs[run].position));
    this.stops = [...new Set(positions)].sort((a, b) => a - b);
    if (!this.known) byId("middle").textContent = "";
    this.input.addEventListener("input", () => this.goTo(this.now()));
    this.input.addEventListener("keydown", (event) => this.step(event));
    this.goTo(this.beginning());
  }

  now() {
    return this.input.value / 100;
  }

  next(way) {
    const apart = 0.004; // of two stops that a press of a key tells apart
    return way > 0
      ? this.stops.find((stop) => stop > this.now() + apart)
      : this.stops.findLast((stop) => stop < this.now() - apart);
  }

  // Just above the transition, where most systems have jammed.
  beginning() {
    const above = this.stops.filter((stop) => stop > 0);
    const jammed = (stop) => this.columns.filter((column) => column.system.runs[column.at(stop).run].status === "jammed").length;
    const counts = above.map(jammed);
    return above[counts.indexOf(Math.max(...counts))] ?? this.stops[0];
  }

  goTo(position) {
    this.input.value = 100 * position;
    for (const column of this.columns) column.show(position);
    const states = this.columns.map(({ system, run }) => `${system.name} ${run.status} at ${system.load} = ${number(run.load, 4)}`);
    byId("position").textContent = this.where(position);
    this.input.setAttribute("aria-valuetext", [this.where(position), ...states].join(", "));
    this.onMove?.(position);
  }

  where(position) {
    if (!this.known) return `${Math.round(50 * (position + 1))} % of the range`;
    return whereOn(position);
  }

  step(event) {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const to = way ? this.next(way) : { Home: this.stops[0], End: this.stops.at(-1) }[event.key];
    if (way || to !== undefined) event.preventDefault();
    if (to !== undefined) this.goTo(to);
  }
}

class Player {
  constructor(slider) {
    this.slider = slider;
    this.timer = null;
    this.button = byId("play");
    this.button.addEventListener("click", () => (this.timer === null ? this.start() : this.stop()));
    slider.input.addEventListener("pointerdown", () => this.stop());
  }

  start() {
    const { slider } = this;
    if (slider.next(1) === undefined) slider.goTo(slider.stops[0]);
    this.timer = setInterval(() => this.advance(), PACE);
    this.label("❚❚", "Pause");
  }

  advance() {
    const to = this.slider.next(1);
    if (to === undefined) this.stop();
    else this.slider.goTo(to);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.label("▶", "Play the transition");
  }

  label(sign, text) {
    this.button.textContent = sign;
    this.button.setAttribute("aria-label", text);
  }
}

function buildChoice(columns) {
  const boxes = columns.map((column, k) => {
    const box = element("input", { type: "checkbox" });
    box.checked = k < FIRST_SHOWN;
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

function buildLandscape(landscape) {
  const { name, parameters, n_minima, n_saddles, connected, observables } = landscape;
  const given = described(parameters);
  const apart = connected ? "" : " No saddle is known yet between trunks that do not meet.";
  const shown = observables.energy.length;
  const ends = shown < n_minima ? `the ${shown} lowest of ${n_minima} minima` : `${n_minima} minima`;
  const text = `Each line ends in one of ${ends}, and goes up to the lowest of ${n_saddles} saddles over which it reaches another: point at one, or use the arrow keys, to see what it is.${apart}`;
  const part = element("div", { class: "tree" }, element("h2", {}, `The landscape of ${name}${given ? ` (${given})` : ""}`), element("p", {}, text));
  byId("landscape").append(part);
  return new TreePanel(part, landscape);
}

// A system of which a phone shows only a part says that there are more.
function hintAtSwiping() {
  for (const hint of document.querySelectorAll(".swipe")) {
    const columns = hint.nextElementSibling;
    hint.classList.toggle("needed", columns.scrollWidth > columns.clientWidth + 8);
  }
}

function buildTabs(views, onOpen) {
  const tabs = views.map((name) => byId(`tab-${name}`));
  const open = (k) => {
    views.forEach((name, other) => {
      byId(name).hidden = other !== k;
      tabs[other].setAttribute("aria-selected", other === k);
      tabs[other].tabIndex = other === k ? 0 : -1;
    });
    onOpen(views[k]);
  };
  views.forEach((name, k) => { byId(`tab-${name}`).hidden = false; });
  tabs.forEach((tab, k) => {
    tab.addEventListener("click", () => open(k));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const other = (to + tabs.length) % tabs.length;
      open(other);
      tabs[other].focus();
    });
  });
  byId("tabs").hidden = views.length < 2;
  return (name) => { if (views.includes(name)) open(views.indexOf(name)); };
}

const VIEWS = ["motion", "transition", "landscape", "overlay", "live", "runs"];

function viewsOf({ motions, systems, landscapes, tables }) {
  const placed = systems.some(({ transition }) => transition !== null);
  const full = { motion: motions.length, transition: systems.length, landscape: landscapes.length, overlay: placed, live: true, runs: tables.length };
  for (const name of VIEWS) if (!full[name]) {
    byId(name).dataset.empty = "";
    byId(`tab-${name}`).hidden = true;
  }
  return VIEWS.filter((name) => full[name]);
}

function start(content) {
  const { motions, systems, landscapes, tables } = content;
  const views = viewsOf(content), address = new Address();
  const first = ["motion", "overlay", "live"].includes(views[0]) ? "transition" : views[0];
  for (const part of document.querySelectorAll("[data-view]")) part.hidden = part.dataset.view !== first;
  const slider = systems.length ? new Slider(systems) : null;
  if (slider) {
    buildChoice(slider.columns);
    new Player(slider);
  }
  const playback = motions.length ? new Playback(motions) : null;
  if (views.includes("overlay")) new Overlay(systems);
  tables.forEach(buildTable);
  const trees = landscapes.map(buildLandscape), live = buildLive();
  const redraw = () => {
    for (const tree of trees) tree.draw();
    for (const one of live) one.wake();
    hintAtSwiping();
  };
  const open = buildTabs(views, (view) => { redraw(); address.set({ view }); });
  addEventListener("resize", redraw);
  const tour = new Tour((step, view) => {
    address.set({ step: step + 1 });
    open(view.tab);
    if (view.tab === "motion" && playback) {
      playback.stop();
      playback.only(view.only);
      playback.goTo(view.at);
    }
    if (view.tab === "transition" && slider) slider.goTo(view.load);
  });
  restore(address, { open, tour, playback, slider, first: views[0] });
  if (playback) {
    playback.onMove = (position) => address.set({ at: position.toFixed(3) });
    for (const column of playback.columns) column.onFollow = () => address.set({ follow: playback.followed() });
  }
  if (slider) slider.onMove = (position) => address.set({ load: position.toFixed(3) });
  address.follow(() => restore(address, { open, tour, playback, slider, first: views[0] }));
  countAll(content);
}

// The view that an address asks for; whatever it does not say stays as it is.
function restore(address, { open, tour, playback, slider, first }) {
  const [view, step, at, load] = [address.get("view") ?? first, ...["step", "at", "load"].map((name) => address.number(name))];
  open(first);
  if (step !== null) tour.mark(step - 1);
  open(view);
  if (at !== null) playback?.goTo(at);
  const followed = address.get("follow");
  if (followed !== null) playback?.follow(followed);
  if (load !== null) slider?.goTo(load);
}

function countAll({ systems, landscapes, tables }) {
  const runs = systems.reduce((sum, system) => sum + system.runs.length, 0);
  const minima = landscapes.reduce((sum, { n_minima }) => sum + n_minima, 0);
  const counts = [runs && `${runs} runs of ${systems.length} systems`, minima && `${minima} minima`, tables.length && `${tables.length} other kinds of runs`].filter(Boolean);
  byId("counts").textContent = `${counts.join(", ")}.`;
}

start(JSON.parse(byId("content").textContent));
