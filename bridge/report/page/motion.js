// Quasi-static motion: each frame is the minimum reached from the one before. Between two frames
// bodies and patterns move straight; every number and every force is that of a computed frame.

const PER_SECOND = 0.125; // of the way from the lowest load to the transition, while it plays
const FRAME_STEP = 0.04; // of a press of an arrow key
const DOT_ROOM = 8; // above and below the patterns
const RINGS = { jammed: "●", unjammed: "○", stalled: "×" };

// Turns (65536 of them are one) between two frames go the short way round.
function between(from, to, share) {
  let move = to - from;
  if (move > 32768) move -= 65536;
  if (move < -32768) move += 65536;
  return (((from + share * move) / 65536) % 1 + 1) % 1;
}

class Motion {
  constructor(data) {
    Object.assign(this, data);
    this.codes = unpack(data.gaps, Int16Array);
    this.starts = data.counts.reduce((all, count) => [...all, all.at(-1) + count], [0]);
    if (!data.sizes) return;
    for (const name of ["x", "y", "angle"]) this[name] = data[name] && unpack(data[name], Uint16Array);
    for (const name of ["held", "i", "j", "image"]) this[name] = unpack(data[name], Uint8Array);
  }

  // The frame at a position of the slider (0 is the transition), with its fraction.
  at(position) {
    const { loads, transition } = this, last = loads.length - 1;
    const middle = transition === null ? last / 2 : loads.indexOf(transition);
    const place = position < 0 ? middle * (1 + position) : middle + position * (last - middle);
    return Math.min(last, Math.max(0, place));
  }

  gap(frame, k) {
    return gapOf(this.codes[this.starts[frame] + k]);
  }

  // Where body k is, between two frames, in widths of the box.
  body(place, k) {
    const frame = Math.floor(place), share = place - frame, n = this.sizes.length;
    const next = Math.min(frame + 1, this.loads.length - 1);
    const of = (values) => between(values[frame * n + k], values[next * n + k], share);
    return { x: of(this.x), y: of(this.y), angle: this.angle ? Math.PI * of(this.angle) : 0 };
  }
}

class MovingBodies {
  constructor(figure, motion) {
    this.motion = motion;
    this.picture = canvas(figure, WIDTH, `${motion.name} while they are compressed`);
    this.picture.classList.add("clipped");
    [this.held, this.loose] = ["held", "loose"].map((name) => shape(this.picture, "path", { class: name }));
    this.forces = FORCE_WIDTHS.map((width) => shape(this.picture, "path", { class: "force", "stroke-width": 1.3 * width }));
    shape(this.picture, "rect", { class: "frame", width: WIDTH, height: WIDTH });
  }

  show(place) {
    const { motion } = this, frame = Math.round(place), n = motion.sizes.length;
    const bodies = motion.sizes.map((_, k) => motion.body(place, k));
    const jammed = motion.status[frame] === "jammed", paths = ["", ""];
    bodies.forEach((body, k) => { paths[jammed ? motion.held[frame * n + k] : 1] += this.outlines(body, k, frame); });
    [this.loose, this.held].forEach((path, k) => setPath(path, paths[k]));
    this.showForces(bodies, frame);
  }

  outlines({ x, y, angle }, k, frame) {
    const short = (WIDTH / 2) * this.motion.sizes[k] * this.motion.growth[frame], long = short * this.motion.aspect;
    const seen = (at) => [at - WIDTH, at, at + WIDTH].filter((one) => one > -long && one < WIDTH + long);
    return seen(WIDTH * x).flatMap((a) => seen(WIDTH * (1 - y)).map((b) => outline(a, b, long, short, angle))).join("");
  }

  showForces(bodies, frame) {
    const { motion } = this, [start, end] = [motion.starts[frame], motion.starts[frame + 1]];
    const forces = Array.from({ length: end - start }, (_, k) => motion.gap(frame, k));
    const mean = forces.reduce((sum, force) => sum + force, 0) / forces.length;
    const paths = FORCE_WIDTHS.map(() => "");
    forces.forEach((force, k) => {
      const level = FORCE_WIDTHS.findIndex((width) => force / mean < 1.25 * width);
      const [a, b] = [bodies[motion.i[start + k]], bodies[motion.j[start + k]]];
      // The nearest image: the box is much wider than a body.
      const [dx, dy] = [b.x - a.x, a.y - b.y].map((d) => WIDTH * (d - Math.round(d)));
      const line = segment(WIDTH * a.x, WIDTH * (1 - a.y), dx, dy) + segment(WIDTH * b.x, WIDTH * (1 - b.y), -dx, -dy);
      paths.splice(level, 1, paths.at(level) + line);
    });
    paths.forEach((path, level) => setPath(this.forces[level], path));
  }
}

// Each pattern has a line of its own and moves along it with its gap; the last ones are on top.
class MovingPatterns {
  constructor(figure, motion) {
    this.motion = motion;
    const gaps = Array.from(motion.codes, gapOf).sort((a, b) => a - b);
    const [low, high] = [gaps[Math.floor(0.01 * gaps.length)], gaps.at(-1)];
    this.linear = 0.25 * high || 1;
    const along = (gap) => Math.asinh(gap / this.linear);
    this.x = (gap) => Math.max(4, scale(along(low), along(1.05 * high), 4, WIDTH - 4)(along(gap)));
    this.rise = (WIDTH - 30 - 2 * DOT_ROOM) / Math.max(...motion.counts);
    this.picture = canvas(figure, WIDTH, `${motion.name}: every pattern at its gap while more are added`);
    const zero = (this.zero = this.x(0));
    shape(this.picture, "rect", { class: "violated-side", x: zero, y: 0, width: WIDTH - zero, height: WIDTH - 30 });
    [this.satisfied, this.violated] = ["satisfied-mark", "violated-mark"].map((name) => shape(this.picture, "path", { class: name }));
    shape(this.picture, "path", { class: "zero", d: `M${zero.toFixed(1)} 0V${WIDTH - 30}` });
    axisBelow(this.picture, this.x, [[low, number(low, 1)], [0, "0"]], WIDTH - 30);
    shape(this.picture, "text", { class: "end", x: WIDTH, y: WIDTH - 5 }, "gap Δ of each pattern");
  }

  show(place) {
    const { motion } = this, frame = Math.floor(place), share = place - frame;
    const next = Math.min(frame + 1, motion.loads.length - 1), paths = ["", ""];
    for (let k = 0; k < motion.counts[frame]; k++) {
      const from = motion.gap(frame, k), to = motion.gap(next, k);
      const x = this.x(from) + share * (this.x(to) - this.x(from));
      paths[Number(x > this.zero)] += `M${(x - 1.6).toFixed(1)} ${(WIDTH - 30 - DOT_ROOM - this.rise * (k + 1)).toFixed(1)}h3.2v2h-3.2z`;
    }
    [this.satisfied, this.violated].forEach((path, k) => setPath(path, paths[k]));
  }
}

class MotionColumn {
  constructor(parent, data) {
    this.motion = new Motion(data);
    const { name, loads, ratios, load_words: words, transition } = this.motion;
    this.part = element("div", { class: "moving" }, element("h2", {}, name));
    this.status = element("p", { class: "status" });
    this.reading = element("p", { class: "reading" });
    const figure = element("figure");
    this.part.append(this.status, figure, this.reading);
    parent.append(this.part);
    this.panel = new (data.sizes ? MovingBodies : MovingPatterns)(figure, this.motion);
    const status = this.motion.status, runs = loads.map((load, k) => ({ load, ratio: ratios[k], status: status[k], position: 0 }));
    const system = { name, runs, load_words: words, transition };
    const curve = element("figure");
    this.part.append(curve);
    this.curve = new CurvePanel(curve, { system, goTo: () => {} }, Math.max(1.2, ...ratios));
  }

  show(position) {
    const { motion } = this, place = motion.at(position), frame = Math.round(place);
    this.panel.show(place);
    this.curve.show(null, { load: motion.loads[frame], ratio: motion.ratios[frame] });
    const status = motion.status[frame];
    this.status.dataset.status = status;
    this.status.textContent = `${RINGS[status]} ${status} at ${motion.load} = ${number(motion.loads[frame], 3)}`;
    const counted = motion.n[frame] ? ` = ${motion.violated[frame]}/${motion.n[frame]} = ${number(motion.ratios[frame], 3)}` : " = 0";
    this.reading.replaceChildren(countSymbol("/N"), counted, `, U = ½ Σ max(Δ, 0)² = ${number(status === "unjammed" ? 0 : motion.energies[frame], 2)}`);
  }
}
