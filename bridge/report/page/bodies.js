// A packing: bodies in their periodic box, and the network of their forces.

const FORCE_WIDTHS = [0.25, 0.6, 1, 1.5, 2.2, 3.2, 4.5]; // in units of the mean force

function sceneOf(frame) {
  if (frame.scene) return frame.scene;
  const Index = unpack(frame.held, Uint8Array).length <= 256 ? Uint8Array : Uint16Array;
  const fraction = (text) => Float64Array.from(unpack(text, Uint16Array), (value) => value / 65536);
  frame.scene = {
    x: fraction(frame.x), y: fraction(frame.y), angle: frame.angle && fraction(frame.angle),
    shape: unpack(frame.shape, Uint16Array), held: unpack(frame.held, Uint8Array),
    i: unpack(frame.i, Index), j: unpack(frame.j, Index),
    image: frame.image && unpack(frame.image, Uint8Array),
  };
  return frame.scene;
}

function outline(x, y, long, short, angle) {
  const [dx, dy] = [long * Math.cos(angle), -long * Math.sin(angle)];
  const turn = ((-angle * 180) / Math.PI).toFixed(1);
  const arc = `a${long.toFixed(2)} ${short.toFixed(2)} ${turn} 1 1 `;
  const across = (sign) => `${(2 * sign * dx).toFixed(2)} ${(2 * sign * dy).toFixed(2)}`;
  return `M${(x - dx).toFixed(2)} ${(y - dy).toFixed(2)}${arc}${across(1)}${arc}${across(-1)}z`;
}

function segment(x, y, dx, dy) {
  return `M${x.toFixed(1)} ${y.toFixed(1)}l${dx.toFixed(1)} ${dy.toFixed(1)}`;
}

class BodiesPanel {
  constructor(figure, column) {
    this.column = column;
    this.height = WIDTH * column.system.frames[0].box;
    this.picture = canvas(figure, this.height, `${column.system.name}: the packing and its forces`);
    this.picture.classList.add("clipped");
    const layer = (name) => shape(this.picture, "path", { class: name });
    [this.held, this.loose, this.picked] = ["held", "loose", "picked-bodies"].map(layer);
    this.forces = FORCE_WIDTHS.map((width) => layer(width < 1 ? "force faint" : "force"));
    this.pairs = layer("picked-pairs");
    shape(this.picture, "rect", { class: "frame", width: WIDTH, height: this.height });
    this.picture.addEventListener("pointermove", (event) => column.pickBody(this.nearest(event)));
    this.picture.addEventListener("pointerleave", () => column.pickBody(null));
    this.picture.addEventListener("click", (event) => column.pin(this.nearest(event)));
  }

  show(frame) {
    const paths = ["", ""]; // of rattlers, and of the bodies that are held
    sceneOf(frame).held.forEach((held, k) => { paths[held] += this.body(frame, k); });
    setPath(this.loose, paths[0]);
    setPath(this.held, paths[1]);
    this.showForces(frame);
  }

  showForces(frame) {
    const codes = countedCodes(frame);
    const touching = [...codes.keys()].filter((pair) => codes[pair] > 0);
    const mean = touching.reduce((sum, pair) => sum + gapOf(codes[pair]), 0) / touching.length;
    const paths = FORCE_WIDTHS.map(() => "");
    for (const pair of touching) {
      const strength = gapOf(codes[pair]) / mean;
      const level = FORCE_WIDTHS.findIndex((width) => strength < 1.25 * width);
      paths.splice(level, 1, paths.at(level) + this.line(frame, pair)); // -1: stronger than all
    }
    const size = Math.min(1.3, 8 / Math.sqrt(sceneOf(frame).x.length)); // as wide to a body in any packing
    paths.forEach((path, level) => {
      setPath(this.forces[level], path);
      this.forces[level].setAttribute("stroke-width", (size * FORCE_WIDTHS[level]).toFixed(2));
    });
  }

  pick(frame, { bodies, constraints }) {
    setPath(this.picked, bodies.map((k) => this.body(frame, k)).join(""));
    setPath(this.pairs, constraints.map((pair) => this.line(frame, pair)).join(""));
  }

  place(scene, k) {
    return [WIDTH * scene.x[k], this.height * (1 - scene.y[k])];
  }

  // The body and those of its images that reach into the box.
  body(frame, k) {
    const scene = sceneOf(frame), { height } = this;
    const [long, short] = frame.shapes[scene.shape[k]].map((axis) => (axis * WIDTH) / 2);
    const [x, y] = this.place(scene, k);
    const angle = scene.angle ? scene.angle[k] * Math.PI : 0;
    const seen = (at, side) => [at - side, at, at + side].filter((one) => one > -long && one < side + long);
    return seen(x, WIDTH).flatMap((a) => seen(y, height).map((b) => outline(a, b, long, short, angle))).join("");
  }

  // Once from either body, since a contact through the wall is seen on both sides.
  line(frame, pair) {
    const scene = sceneOf(frame);
    const [x, y] = this.place(scene, scene.i[pair]), [u, v] = this.place(scene, scene.j[pair]);
    const image = scene.image?.[pair]; // the nearest one unless it is given
    const right = scene.image ? (image >> 4) - 7 : Math.round((x - u) / WIDTH), up = scene.image ? (image & 15) - 7 : Math.round((v - y) / this.height);
    const dx = u - x + right * WIDTH, dy = v - y - up * this.height;
    return segment(x, y, dx, dy) + (right || up ? segment(u, v, -dx, -dy) : "");
  }

  nearest(event) {
    const scene = sceneOf(this.column.frame);
    const [x, y] = pointIn(this.picture, event, WIDTH, this.height);
    const apart = (a, b, side) => Math.min(Math.abs(a - b), side - Math.abs(a - b));
    let [nearest, least] = [0, Infinity];
    scene.x.forEach((_, k) => {
      const [u, v] = this.place(scene, k);
      const distance = Math.hypot(apart(u, x, WIDTH), apart(v, y, this.height));
      if (distance < least) [nearest, least] = [k, distance];
    });
    return nearest;
  }
}
