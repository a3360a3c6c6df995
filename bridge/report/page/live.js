// A small packing and a perceptron in the plane, to be pushed: they follow the forces of forces.js.

const STEPS_A_FRAME = 12;
const AT_REST = 1e-7; // length of the gradient below which nothing moves
const SIDE = 10; // of the box, in the units of the forces
const REACH = 3.2; // of the plane of patterns, on either side

class Live {
  constructor(picture) {
    this.picture = picture;
    this.grip = null;
    this.moving = false;
    picture.setAttribute("tabindex", "0");
    picture.setAttribute("role", "group");
    picture.classList.add("turns");
    picture.addEventListener("pointerdown", (event) => {
      picture.setPointerCapture(event.pointerId);
      this.chosen = this.grip = this.nearest(this.point(event));
      this.drag(event);
    });
    picture.addEventListener("pointermove", (event) => { if (this.grip !== null) this.drag(event); });
    for (const name of ["pointerup", "pointercancel"]) picture.addEventListener(name, () => { this.grip = null; this.wake(); });
    picture.addEventListener("keydown", (event) => this.press(event));
  }

  drag(event) {
    this.put(this.grip, this.point(event));
    this.wake();
  }

  // Arrow keys move what was chosen last, n chooses the next.
  press(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (event.key === "n") this.chosen = (this.chosen + 1) % this.count;
    if (!move && event.key !== "n") return;
    event.preventDefault();
    if (move) this.put(this.chosen, this.place(this.chosen).map((value, k) => value + this.nudge * move[k]));
    this.wake();
  }

  // Move until nothing moves any more, or the view is left.
  wake() {
    if (this.moving) return;
    this.moving = true;
    this.picture.setAttribute("aria-busy", true);
    const frame = () => {
      let size = 0;
      for (let k = 0; k < STEPS_A_FRAME; k++) size = this.step();
      this.draw();
      this.moving = (size > AT_REST || this.grip !== null) && !byId("live").hidden;
      if (this.moving) requestAnimationFrame(frame);
      else this.picture.setAttribute("aria-busy", false);
    };
    requestAnimationFrame(frame);
  }
}

class LivePacking extends Live {
  constructor(figure) {
    super(canvas(figure, WIDTH, "A packing to drag: arrow keys move a body, n chooses the next"));
    this.nudge = 0.1;
    this.picture.classList.add("clipped");
    [this.bodies, this.picked] = ["held", "picked-bodies"].map((name) => shape(this.picture, "path", { class: name }));
    this.forces = FORCE_WIDTHS.map((width) => shape(this.picture, "path", { class: "force", "stroke-width": 1.2 * width }));
    shape(this.picture, "rect", { class: "frame", width: WIDTH, height: WIDTH });
    this.reading = element("p", { class: "reading" });
    figure.append(this.reading);
    for (const name of ["live-n", "live-phi", "live-aspect"]) {
      byId(name).addEventListener("input", () => this.change(name === "live-n"));
    }
    this.change(true);
  }

  // Other sizes for the same places; another number begins at random places.
  change(anew) {
    const [n, phi, aspect] = ["live-n", "live-phi", "live-aspect"].map((name) => Number(byId(name).value));
    this.count = n;
    this.phi = phi;
    const sizes = Array.from({ length: n }, (_, k) => (k % 2 ? 1.4 : 1));
    const area = Math.PI * aspect * sizes.reduce((sum, size) => sum + size * size, 0);
    const unit = Math.sqrt((phi * SIDE * SIDE) / area);
    this.short = sizes.map((size) => unit * size);
    this.long = this.short.map((size) => aspect * size);
    if (anew) {
      this.chosen = 0;
      const x = Float64Array.from({ length: 3 * n }, (_, k) => (k % 3 < 2 ? SIDE : Math.PI) * Math.random());
      this.state = { x, v: new Float64Array(3 * n), dt: 0.05, mix: 0.1, steps: 0 };
    }
    this.wake();
  }

  step() {
    const found = packingForces(this.state.x, this.long, this.short, [SIDE, SIDE]);
    this.found = found;
    const forces = found.gradient.map((value) => -value);
    if (this.grip !== null) for (let k = 0; k < 3; k++) forces[3 * this.grip + k] = this.state.v[3 * this.grip + k] = 0;
    return fireStep(this.state, forces);
  }

  point(event) {
    const [x, y] = pointIn(this.picture, event, SIDE, SIDE);
    return [x, SIDE - y];
  }

  place(k) {
    return [this.state.x[3 * k], this.state.x[3 * k + 1]];
  }

  put(k, [x, y]) {
    this.state.x[3 * k] = x;
    this.state.x[3 * k + 1] = y;
  }

  nearest([x, y]) {
    const wrapped = (d) => d - SIDE * Math.round(d / SIDE);
    const away = (k) => Math.hypot(wrapped(this.place(k)[0] - x), wrapped(this.place(k)[1] - y));
    return this.long.reduce((best, _, k) => (away(k) < away(best) ? k : best), 0);
  }

  outlines(k) {
    const unit = WIDTH / SIDE, long = unit * this.long[k], short = unit * this.short[k];
    const [x, y] = this.place(k).map((value) => unit * (value - SIDE * Math.floor(value / SIDE)));
    const seen = (at) => [at - WIDTH, at, at + WIDTH].filter((one) => one > -long && one < WIDTH + long);
    return seen(x).flatMap((a) => seen(WIDTH - y).map((b) => outline(a, b, long, short, this.state.x[3 * k + 2]))).join("");
  }

  draw() {
    const { contacts, energy } = this.found, unit = WIDTH / SIDE;
    setPath(this.bodies, this.long.map((_, k) => this.outlines(k)).join(""));
    setPath(this.picked, this.outlines(this.chosen));
    const mean = contacts.reduce((sum, [, , gap]) => sum + gap, 0) / contacts.length;
    const paths = FORCE_WIDTHS.map(() => "");
    for (const [i, j, gap] of contacts) {
      const level = FORCE_WIDTHS.findIndex((width) => gap / mean < 1.25 * width);
      const [a, b] = [this.place(i), this.place(j)].map((p) => p.map((value) => value - SIDE * Math.floor(value / SIDE)));
      const [dx, dy] = [b[0] - a[0], b[1] - a[1]].map((d) => unit * (d - SIDE * Math.round(d / SIDE)));
      paths.splice(level, 1, paths.at(level) + segment(unit * a[0], WIDTH - unit * a[1], dx, -dy) + segment(unit * b[0], WIDTH - unit * b[1], -dx, dy));
    }
    paths.forEach((path, level) => setPath(this.forces[level], energy > 1e-12 ? path : ""));
    const touching = energy > 1e-12 ? contacts.length : 0, unknowns = (this.long[0] > this.short[0] ? 3 : 2) * this.count - 2;
    this.reading.replaceChildren(`φ = ${number(this.phi, 3)}, `, countSymbol("/N"), ` = ${touching}/${unknowns}, U = ${number(energy > 1e-12 ? energy : 0, 2)}: ${touching ? "it pushes back" : "everything fits"}`);
  }
}

class LivePerceptron extends Live {
  constructor(figure) {
    super(canvas(figure, WIDTH, "Patterns of a perceptron to drag: arrow keys move one, n chooses the next"));
    this.nudge = 0.1;
    this.patterns = [[1.6, 0.9], [0.4, 1.9], [2.1, -0.6], [-0.7, 1.2], [1.2, 2.2]];
    this.count = this.patterns.length;
    this.chosen = 0;
    this.state = { x: [-1, 0.4], v: [0, 0], dt: 0.05, mix: 0.1, steps: 0 };
    this.wall = shape(this.picture, "path", { class: "violated-side" });
    this.edge = shape(this.picture, "path", { class: "zero" });
    this.arrow = shape(this.picture, "path", { class: "arrow" });
    this.pulls = shape(this.picture, "path", { class: "force", "stroke-width": 2 });
    [this.good, this.bad, this.picked] = ["satisfied-mark", "violated-mark", "ring"].map((name) => shape(this.picture, "path", { class: name }));
    shape(this.picture, "rect", { class: "frame", width: WIDTH, height: WIDTH });
    this.picture.classList.add("clipped");
    this.reading = element("p", { class: "reading" });
    figure.append(this.reading);
    this.sigma = byId("live-sigma");
    this.sigma.addEventListener("input", () => this.wake());
    this.wake();
  }

  step() {
    this.found = perceptronForces(this.patterns, Number(this.sigma.value), this.state.x);
    const size = fireStep(this.state, this.found.gradient.map((value) => -value), 0.2);
    const length = Math.hypot(...this.state.x) / Math.SQRT2; // back to the sphere |x|² = N = 2
    this.state.x = this.state.x.map((value) => value / length);
    return size;
  }

  point(event) {
    const [x, y] = pointIn(this.picture, event, 2 * REACH, 2 * REACH);
    return [x - REACH, REACH - y];
  }

  place(k) {
    return this.patterns[k];
  }

  put(k, place) {
    this.patterns[k] = place.map((value) => Math.max(-REACH, Math.min(REACH, value)));
  }

  nearest([x, y]) {
    const away = (k) => Math.hypot(this.patterns[k][0] - x, this.patterns[k][1] - y);
    return this.patterns.reduce((best, _, k) => (away(k) < away(best) ? k : best), 0);
  }

  draw() {
    const { gaps, energy } = this.found, sigma = Number(this.sigma.value);
    const at = ([x, y]) => [((x + REACH) / (2 * REACH)) * WIDTH, ((REACH - y) / (2 * REACH)) * WIDTH].map((value) => value.toFixed(1)).join(" ");
    const length = Math.hypot(...this.state.x), [u, v] = this.state.x.map((value) => value / length);
    const from = (along, across) => at([along * u - across * v, along * v + across * u]);
    setPath(this.wall, `M${from(sigma, -9)}L${from(sigma, 9)}L${from(-9, 9)}L${from(-9, -9)}z`);
    setPath(this.edge, `M${from(sigma, -9)}L${from(sigma, 9)}`);
    setPath(this.arrow, `M${at([0, 0])}L${from(1.41, 0)}M${from(1.2, 0.12)}L${from(1.41, 0)}L${from(1.2, -0.12)}`);
    const dot = (place, r) => `M${at(place)}m${-r} 0a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0z`;
    const dots = (wanted) => this.patterns.filter((_, k) => gaps[k] > 0 === wanted).map((place) => dot(place, 5)).join("");
    setPath(this.good, dots(false));
    setPath(this.bad, dots(true));
    setPath(this.picked, dot(this.patterns[this.chosen], 8));
    const pulled = (place, k) => (gaps[k] > 0 ? `M${at(place)}L${at([place[0] + gaps[k] * u, place[1] + gaps[k] * v])}` : "");
    setPath(this.pulls, this.patterns.map(pulled).join(""));
    const violated = gaps.filter((gap) => gap > 1e-7).length;
    this.reading.textContent = `${violated} of ${gaps.length} patterns violated, U = ${number(energy > 1e-12 ? energy : 0, 2)}, margin σ = ${tickText(sigma)}`;
  }
}

function buildLive() {
  return [new LivePacking(byId("live-packing")), new LivePerceptron(byId("live-perceptron"))];
}
