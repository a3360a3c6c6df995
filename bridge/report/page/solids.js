// A packing in space: bodies in their box, seen from any side, the near ones before the far ones.

const LAYERS = 12; // of depth, from far to near
const FITS = 0.58; // of the width: the box stays inside however it is turned
const TURN_STEP = Math.PI / 16; // of a press of a key

// The bodies of a frame about the middle of the box, and their shape matrices, in widths of it.
function solidsOf(frame) {
  if (frame.space) return frame.space;
  const scene = sceneOf(frame), { box, depth } = frame;
  const z = Float64Array.from(unpack(frame.z, Uint16Array), (value) => value / 65536);
  const codes = frame.solids && unpack(frame.solids, Int16Array);
  const round = (k) => [1, 0, 0, 1, 0, 1].map((one) => one * (frame.shapes[scene.shape[k]][0] / 2) ** 2);
  const matrix = (k) => codes ? Array.from(codes.subarray(6 * k, 6 * k + 6), (code) => code * frame.solid_unit) : round(k);
  frame.space = Array.from(z, (height, k) => ({
    centre: [scene.x[k] - 0.5, (scene.y[k] - 0.5) * box, (height - 0.5) * depth], matrix: matrix(k),
  }));
  return frame.space;
}

// The view: rows are the directions to the right, upwards and towards the eye.
function viewFrom(round, tilt) {
  const [c, s, d, t] = [Math.cos(round), Math.sin(round), Math.cos(tilt), Math.sin(tilt)];
  return [[c, s, 0], [-s * d, c * d, t], [s * t, -c * t, d]];
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function form([xx, xy, xz, yy, yz, zz], a, b) {
  return dot(a, [xx * b[0] + xy * b[1] + xz * b[2], xy * b[0] + yy * b[1] + yz * b[2], xz * b[0] + yz * b[1] + zz * b[2]]);
}

class SolidsPanel extends BodiesPanel {
  constructor(figure, column) {
    super(figure, column);
    [this.round, this.tilt, this.grip] = [0.5, -1.1, null];
    this.layers = Array.from({ length: LAYERS }, (_, k) => this.layer(k));
    this.edges = shape(this.picture, "path", { class: "axis" });
    this.picture.setAttribute("tabindex", "0");
    this.picture.classList.add("turns");
    this.picture.addEventListener("pointerdown", (event) => this.take(event));
    this.picture.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.picture.addEventListener(end, () => { this.grip = null; });
    this.picture.addEventListener("keydown", (event) => this.press(event));
  }

  // Rattlers and held bodies at one depth, drawn behind the forces; the far ones are paler.
  layer(k) {
    const pale = 0.25 + (0.75 * (k + 1)) / LAYERS;
    const layers = ["loose", "held"].map((name) => shape(this.picture, "path", { class: name, opacity: pale.toFixed(2) }));
    for (const path of layers) this.picture.insertBefore(path, this.held);
    return layers;
  }

  take(event) {
    this.picture.setPointerCapture(event.pointerId);
    this.grip = [event.clientX, event.clientY, this.round, this.tilt];
  }

  drag(event) {
    if (!this.grip) return;
    const [x, y, round, tilt] = this.grip, size = this.picture.getBoundingClientRect().width;
    this.turnTo(round - (Math.PI * (event.clientX - x)) / size, tilt - (Math.PI * (event.clientY - y)) / size);
  }

  press(event) {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.turnTo(this.round + way[0] * TURN_STEP, this.tilt + way[1] * TURN_STEP);
  }

  turnTo(round, tilt) {
    [this.round, this.tilt] = [round, Math.max(-Math.PI / 2, Math.min(0, tilt))];
    this.show(this.column.frame);
    this.column.repick();
  }

  show(frame) {
    this.view = viewFrom(this.round, this.tilt);
    const { held } = sceneOf(frame), bodies = solidsOf(frame);
    const near = Math.hypot(1, frame.box, frame.depth) / 2;
    const paths = this.layers.map(() => ["", ""]);
    const order = [...bodies.keys()].sort((a, b) => dot(this.view[2], bodies[a].centre) - dot(this.view[2], bodies[b].centre));
    for (const k of order) {
      const at = 0.5 + dot(this.view[2], bodies[k].centre) / (2 * near);
      paths[Math.max(0, Math.min(LAYERS - 1, Math.floor(LAYERS * at)))][held[k] ? 1 : 0] += this.body(frame, k);
    }
    paths.forEach((pair, k) => pair.forEach((path, kind) => setPath(this.layers[k][kind], path)));
    this.showBox(frame);
    this.showForces(frame);
  }

  showBox({ box, depth }) {
    const corner = (bits) => this.project([0, 1, 2].map((k) => [1, box, depth][k] * (((bits >> k) & 1) - 0.5)));
    const edges = [1, 2, 4].flatMap((bit) => [0, 1, 2, 3, 4, 5, 6, 7].filter((from) => !(from & bit)).map((from) => [from, from | bit]));
    setPath(this.edges, edges.map(([from, to]) => {
      const [x, y] = corner(from), [u, v] = corner(to);
      return segment(x, y, u - x, v - y);
    }).join(""));
  }

  project(centre) {
    return [WIDTH * (0.5 + FITS * dot(this.view[0], centre)), this.height / 2 - WIDTH * FITS * dot(this.view[1], centre)];
  }

  place(_, k) {
    return this.project(solidsOf(this.column.frame)[k].centre);
  }

  // The shadow of a body along the view: the part of its shape matrix across it.
  body(frame, k) {
    const { centre, matrix } = solidsOf(frame)[k], [right, up] = this.view;
    const xx = form(matrix, right, right), xy = form(matrix, right, up), yy = form(matrix, up, up);
    const mean = (xx + yy) / 2, split = Math.hypot((xx - yy) / 2, xy);
    const axis = (square) => WIDTH * FITS * Math.sqrt(Math.max(square, 0));
    return outline(...this.project(centre), axis(mean + split), axis(mean - split), 0.5 * Math.atan2(2 * xy, xx - yy));
  }

  // Contacts through a wall are left out: they would cross the picture.
  line(frame, pair) {
    const scene = sceneOf(frame), bodies = solidsOf(frame);
    const [a, b] = [bodies[scene.i[pair]].centre, bodies[scene.j[pair]].centre];
    if (Math.max(...a.map((one, k) => Math.abs(one - b[k]) / [1, frame.box, frame.depth][k])) > 0.5) return "";
    const [x, y] = this.project(a), [u, v] = this.project(b);
    return segment(x, y, u - x, v - y);
  }

  // The nearest to the eye of those under the pointer.
  nearest(event) {
    const [x, y] = pointIn(this.picture, event, WIDTH, this.height);
    const bodies = solidsOf(this.column.frame);
    const away = (k) => { const [u, v] = this.project(bodies[k].centre); return Math.hypot(u - x, v - y); };
    const size = (k) => WIDTH * FITS * Math.sqrt(Math.max(form(bodies[k].matrix, this.view[0], this.view[0]), form(bodies[k].matrix, this.view[1], this.view[1])));
    const under = [...bodies.keys()].filter((k) => away(k) < size(k));
    if (!under.length) return [...bodies.keys()].reduce((best, k) => (away(k) < away(best) ? k : best));
    return under.reduce((best, k) => (dot(this.view[2], bodies[k].centre) > dot(this.view[2], bodies[best].centre) ? k : best));
  }
}
