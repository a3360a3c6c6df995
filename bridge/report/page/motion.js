// Quasi-static motion: each frame is the minimum reached from the one before. Between two frames
// bodies and patterns move straight; every number and every force is that of a computed frame.

const PER_SECOND = 0.125; // of the way from the lowest load to the transition, while it plays
const FRAME_STEP = 0.04; // of a press of an arrow key
const DOT_ROOM = 8; // above and below the patterns
const SHAKE = 0.45; // of a diameter, or an angle, at the end of a motion along a mode
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
    this.pixels = data.pixels && unpack(data.pixels, Uint8Array);
    if (!data.sizes) return;
    this.modes = data.modes && unpack(data.modes, Int8Array);
    for (const name of ["x", "y", "angle"]) this[name] = data[name] && unpack(data[name], Uint16Array);
    for (const name of ["held", "i", "j"]) this[name] = unpack(data[name], Uint8Array);
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

  hasMode(frame, mode) {
    return Boolean(this.modes && this.status[frame] === "jammed" && this.curvatures[frame][mode] !== 0);
  }

  // How far body k goes in a mode: in widths of the box, and radians.
  step(frame, mode, k) {
    const n = this.sizes.length, parts = this.angle ? 3 : 2, count = this.curvatures[0].length;
    const before = this.status.slice(0, frame).filter((status) => status === "jammed").length;
    const place = ((before * count + mode) * n + k) * parts, far = SHAKE / 127;
    const [x, y, angle] = [0, 1, 2].map((part) => (part < parts ? far * this.modes[place + part] : 0));
    const diameter = Math.min(...this.sizes) * this.growth[frame];
    return { x: x * diameter, y: y * diameter, angle };
  }

  // The pairs of body k that overlap, by their places among those of the frame.
  contacts(frame, k) {
    const [start, end] = [this.starts[frame], this.starts[frame + 1]], places = Array.from({ length: end - start }, (_, c) => c);
    return places.filter((c) => this.i[start + c] === k || this.j[start + c] === k);
  }

  // The sum of what overlaps body k; nothing pushes where all fits.
  push(frame, k) {
    if (this.status[frame] !== "jammed") return 0;
    return this.contacts(frame, k).reduce((sum, c) => sum + this.gap(frame, c), 0);
  }

  // How many bodies or patterns there are, in the last frame.
  get members() {
    return this.sizes ? this.sizes.length : this.counts.at(-1);
  }

  // The pixel of an image, from 0 (paper) to 15 (ink).
  shade(pattern, pixel) {
    const [height, width] = this.image_size, bytes = Math.ceil((height * width) / 2);
    const pair = this.pixels[pattern * bytes + (pixel >> 1)];
    return pixel % 2 ? pair & 15 : pair >> 4;
  }
}

class MovingBodies {
  constructor(figure, motion) {
    this.motion = motion;
    this.picture = canvas(figure, WIDTH, `${motion.name} while they are compressed`);
    this.picture.classList.add("clipped");
    [this.held, this.loose] = ["held", "loose"].map((name) => shape(this.picture, "path", { class: name }));
    this.forces = FORCE_WIDTHS.map((width) => shape(this.picture, "path", { class: "force", "stroke-width": 1.3 * width }));
    [this.arrows, this.trail, this.picked] = ["arrows", "trail", "picked-bodies"].map((name) => shape(this.picture, "path", { class: name }));
    shape(this.picture, "rect", { class: "frame", width: WIDTH, height: WIDTH });
  }

  // While they are shaken along a mode, by a part of it from -1 to 1, they rest in a frame.
  show(place, followed, { mode, part }) {
    const { motion } = this, frame = Math.round(place), n = motion.sizes.length;
    const shaken = mode !== null && motion.hasMode(frame, mode);
    const steps = shaken ? motion.sizes.map((_, k) => motion.step(frame, mode, k)) : [];
    const rest = motion.sizes.map((_, k) => motion.body(shaken ? frame : place, k));
    const bodies = shaken ? rest.map(({ x, y, angle }, k) => ({ x: x + part * steps[k].x, y: y + part * steps[k].y, angle: angle + part * steps[k].angle })) : rest;
    setPath(this.arrows, steps.map((step, k) => arrow(WIDTH * rest[k].x, WIDTH * (1 - rest[k].y), WIDTH * step.x, -WIDTH * step.y)).join(""));
    setPath(this.picked, followed === null ? "" : this.outlines(bodies[followed], followed, frame));
    setPath(this.trail, followed === null ? "" : this.way(place, followed));
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

  // Where a body has been, broken where it goes through a wall.
  way(place, k) {
    const places = [...Array(Math.ceil(place)).keys(), place].map((at) => this.motion.body(at, k));
    return places.map(({ x, y }, at) => {
      const before = places[at - 1] ?? { x: 9, y: 9 };
      const far = Math.hypot(x - before.x, y - before.y) > 0.5;
      return `${far ? "M" : "L"}${(WIDTH * x).toFixed(1)} ${(WIDTH * (1 - y)).toFixed(1)}`;
    }).join("");
  }

  nearest(event, place) {
    const [x, y] = pointIn(this.picture, event, 1, 1), apart = (d) => d - Math.round(d);
    const away = (k) => { const body = this.motion.body(place, k); return Math.hypot(apart(body.x - x), apart(1 - body.y - y)); };
    return this.motion.sizes.reduce((best, _, k) => (away(k) < away(best) ? k : best), 0);
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
    this.picked = shape(this.picture, "path", { class: "picked-pairs" });
    shape(this.picture, "path", { class: "zero", d: `M${zero.toFixed(1)} 0V${WIDTH - 30}` });
    axisBelow(this.picture, this.x, [[low, number(low, 1)], [0, "0"]], WIDTH - 30);
    shape(this.picture, "text", { class: "end", x: WIDTH, y: WIDTH - 5 }, "gap Δ of each pattern");
  }

  row(k) {
    return WIDTH - 30 - DOT_ROOM - this.rise * (k + 1);
  }

  nearest(event, place) {
    const [, y] = pointIn(this.picture, event, WIDTH, WIDTH);
    const k = Math.round((WIDTH - 30 - DOT_ROOM + 1 - y) / this.rise) - 1;
    return Math.min(this.motion.counts[Math.floor(place)] - 1, Math.max(0, k));
  }

  show(place, followed) {
    const { motion } = this, frame = Math.floor(place), share = place - frame;
    const shown = followed !== null && followed < motion.counts[frame];
    setPath(this.picked, shown ? `M0 ${(this.row(followed) + 1).toFixed(1)}H${WIDTH}` : "");
    const next = Math.min(frame + 1, motion.loads.length - 1), paths = ["", ""];
    for (let k = 0; k < motion.counts[frame]; k++) {
      const from = motion.gap(frame, k), to = motion.gap(next, k);
      const x = this.x(from) + share * (this.x(to) - this.x(from));
      paths[Number(x > this.zero)] += `M${(x - 1.6).toFixed(1)} ${this.row(k).toFixed(1)}h3.2v2h-3.2z`;
    }
    [this.satisfied, this.violated].forEach((path, k) => setPath(path, paths[k]));
  }
}
