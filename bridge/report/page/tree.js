// A disconnectivity graph: every line is a minimum or a group of minima, which merge at a saddle.

const RAMP = ["#00224e", "#2f4170", "#575c6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838"]; // cividis
const OBSERVABLES = {
  order: "symmetry: so many turns and reflections leave it as it is",
  "Σ ln |λ|": "how stiff all directions are together: lower is a wider basin, with more entropy",
  "lowest λ": "curvature along the softest direction",
  "times met": "by the search",
  "barrier to a lower minimum": "from here up to the lowest saddle on the way",
};
const FEW = 12; // minima up to which each is named

function rampColour(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (RAMP.length - 1);
  const parts = (k) => [1, 3, 5].map((start) => parseInt(RAMP[k].slice(start, start + 2), 16));
  const [from, to] = [parts(Math.floor(place)), parts(Math.floor(place) + 1)];
  return `rgb(${from.map((value, k) => Math.round(value + (to[k] - value) * (place % 1))).join(" ")})`;
}

class TreePanel {
  constructor(parent, landscape) {
    this.name = landscape.name;
    this.strokes = landscape.strokes.map(([x, energy, top, minimum]) => ({ x, energy, top, minimum }));
    this.observables = landscape.observables;
    this.pictures = landscape.pictures;
    this.leaves = this.strokes.filter(({ minimum }) => minimum >= 0).sort((a, b) => a.x - b.x);
    this.chosen = this.leaves.reduce((best, { energy }, k) => (energy < this.leaves[best].energy ? k : best), 0);
    this.holder = element("div", {
      class: "graph", tabindex: "0", role: "group",
      "aria-label": "Disconnectivity graph: arrow keys go from minimum to minimum",
    });
    this.holder.addEventListener("keydown", (event) => this.step(event));
    for (const name of ["pointerenter", "focus"]) this.holder.addEventListener(name, () => this.look?.spin?.());
    for (const name of ["pointerleave", "blur"]) this.holder.addEventListener(name, () => this.look?.rest?.());
    parent.append(this.holder, this.makeSide());
  }

  makeSide() {
    const varied = Object.keys(this.observables).filter((name) => {
      const known = this.observables[name].filter((value) => value !== null);
      return new Set(known).size > 1;
    });
    this.colourBy = varied.find((name) => name.startsWith("test")) ?? varied[0] ?? "energy";
    const select = element("select", {}, ...varied.map((name) => element("option", { value: name }, name)));
    select.value = this.colourBy;
    select.addEventListener("change", () => { this.colourBy = select.value; this.paint(); });
    const ramp = element("div", { class: "ramp" });
    ramp.style.background = `linear-gradient(90deg, ${RAMP.join(", ")})`;
    this.ends = element("div", { class: "ends" });
    this.title = element("caption", { "aria-live": "polite" });
    this.rows = element("tbody");
    const scheme = varied.length ? [element("label", {}, "Colour by ", select), ramp, this.ends] : [];
    const side = element("div", {}, ...scheme);
    this.look = pictureOf(side, this.pictures);
    side.append(element("table", {}, this.title, this.rows));
    return side;
  }

  draw() {
    this.width = Math.max(300, this.holder.clientWidth || 700);
    const height = Math.min(520, Math.max(340, 0.55 * this.width));
    const energies = this.strokes.map((stroke) => stroke.energy);
    const [low, high] = [Math.min(...energies), Math.max(...energies)];
    const margin = 0.06 * (high - low) || 0.1;
    this.x = scale(-0.8, this.leaves.length - 0.2, 58, this.width - 6);
    this.y = scale(low - margin, high + margin, height - 20, 8);
    this.slant = 0.02 * (high - low);
    this.holder.replaceChildren();
    this.picture = canvas(this.holder, height, `${this.name}: disconnectivity graph`, this.width);
    for (const name of ["pointermove", "pointerdown"]) {
      this.picture.addEventListener(name, (event) => this.choose(this.nearest(event)));
    }
    this.drawEnergies(low, high, height);
    this.drawBranches();
    this.paint();
    this.mark();
  }

  drawEnergies(low, high, height) {
    shape(this.picture, "path", { class: "axis", d: `M58 8V${height - 20}` });
    for (const value of roundSteps(low, high, 7)) {
      const y = this.y(value);
      shape(this.picture, "path", { class: "axis", d: `M58 ${y.toFixed(1)}h-4` });
      shape(this.picture, "text", { class: "end", x: 51, y: (y + 4).toFixed(1) }, tickText(value));
    }
    shape(this.picture, "text", { x: 64, y: 14 }, "energy");
  }

  drawBranches() {
    const width = this.leaves.length > 60 ? 0.7 : 1.2;
    const d = this.strokes.map((stroke) => this.line(stroke)).join("");
    shape(this.picture, "path", { class: "branch", "stroke-width": width, d });
    this.path = shape(this.picture, "path", { class: "path" });
    const r = Math.min(6, Math.max(1.8, (0.35 * this.width) / this.leaves.length));
    const named = this.leaves.length <= FEW && this.x(1) - this.x(0) > 44; // room for its energy
    this.dots = this.leaves.map((leaf) => {
      const [cx, cy] = [this.x(leaf.x).toFixed(1), this.y(leaf.energy).toFixed(1)];
      const name = { class: "middle", x: cx, y: Number(cy) + r + 17 };
      if (named) shape(this.picture, "text", name, number(leaf.energy, 5));
      return shape(this.picture, "circle", { class: "leaf", cx, cy, r });
    });
    this.ring = shape(this.picture, "circle", { class: "ring", r: r + 4 });
  }

  // Up from its own energy, then slanted to where it merges.
  line({ x, energy, top }) {
    const start = `M${this.x(x).toFixed(1)} ${this.y(energy).toFixed(1)}`;
    if (top < 0) return `${start}V8`;
    const above = this.strokes[top];
    const bend = above.energy - Math.min(this.slant, 0.5 * (above.energy - energy));
    return `${start}V${this.y(bend).toFixed(1)}L${this.x(above.x).toFixed(1)} ${this.y(above.energy).toFixed(1)}`;
  }

  paint() {
    const values = this.observables[this.colourBy], known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    this.leaves.forEach(({ minimum }, k) => {
      const value = values[minimum];
      this.dots[k].setAttribute("fill", value === null ? "none" : rampColour((value - low) / (high - low || 1)));
    });
    this.ends.replaceChildren(...[low, high].map((value) => element("span", {}, number(value, 4))));
  }

  mark() {
    const leaf = this.leaves[this.chosen];
    let way = "";
    for (let stroke = leaf; stroke; stroke = this.strokes[stroke.top]) way += this.line(stroke);
    setPath(this.path, way);
    this.ring.setAttribute("cx", this.x(leaf.x).toFixed(1));
    this.ring.setAttribute("cy", this.y(leaf.energy).toFixed(1));
    this.look?.show(leaf.minimum);
    this.title.textContent = `Minimum ${this.chosen + 1} of ${this.leaves.length}, from the left`;
    this.rows.replaceChildren(...Object.entries(this.observables).map(([name, values]) => {
      const value = values[leaf.minimum];
      const text = Number.isInteger(value) ? tickText(value) : number(value, name === "energy" ? 8 : 4);
      const meaning = OBSERVABLES[name] ? [element("small", {}, OBSERVABLES[name])] : [];
      return element("tr", {}, element("th", { scope: "row" }, name, ...meaning), element("td", {}, text));
    }));
  }

  nearest(event) {
    const [place] = pointIn(this.picture, event, this.width, 1);
    const away = (leaf) => Math.abs(this.x(leaf.x) - place);
    return this.leaves.reduce((best, leaf, k) => (away(leaf) < away(this.leaves[best]) ? k : best), 0);
  }

  choose(k) {
    if (k === this.chosen) return;
    this.chosen = Math.min(this.leaves.length - 1, Math.max(0, k));
    this.mark();
  }

  step(event) {
    const ways = { ArrowLeft: this.chosen - 1, ArrowRight: this.chosen + 1, Home: 0, End: this.leaves.length - 1 };
    if (ways[event.key] === undefined) return;
    event.preventDefault();
    this.choose(ways[event.key]);
  }
}
