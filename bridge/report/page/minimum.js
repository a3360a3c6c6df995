// What a minimum looks like, beside the tree: the atoms of a cluster, or the outputs of a network.

const LOOK = { width: 240, height: 200, near: 1.35 }; // near: of two atoms that are joined, over the least distance
const TURN = 9000; // milliseconds of a turn of the atoms

class Look {
  constructor(parent, pictures) {
    this.size = pictures.size;
    this.of = pictures.of;
    this.unit = pictures.unit;
    this.all = unpack(pictures.numbers, Int8Array);
    this.labels = pictures.labels && unpack(pictures.labels, Int8Array);
    this.picture = canvas(parent, LOOK.height, this.says, LOOK.width);
    this.picture.classList.add("look");
    this.words = element("p", { class: "reading" });
    parent.append(this.words);
  }

  show(minimum) {
    const place = this.of[minimum];
    this.picture.classList.toggle("none", place < 0);
    this.numbers = place < 0 ? [] : Array.from(this.all.subarray(place * this.size, (place + 1) * this.size), (value) => this.unit * value);
    this.words.textContent = place < 0 ? "Its picture is left out of this page: only the lowest have one." : this.reading();
    this.draw();
  }
}

// Atoms turn about the vertical, the far ones behind; lines join neighbours.
class AtomsLook extends Look {
  get says() { return "The atoms of this minimum"; }

  reading() {
    return `${this.size / 3} atoms; lines join neighbours`;
  }

  draw() {
    this.angle ??= 0.5;
    const n = this.numbers.length / 3, places = Array.from({ length: n }, (_, k) => this.numbers.slice(3 * k, 3 * k + 3));
    const apart = (a, b) => Math.hypot(...a.map((value, k) => value - b[k]));
    const pairs = places.flatMap((a, i) => places.slice(i + 1).map((b, k) => [i, i + 1 + k, apart(a, b)]));
    const least = Math.min(...pairs.map(([, , far]) => far));
    this.joined = pairs.filter(([, , far]) => far < LOOK.near * least);
    this.places = places;
    this.reach = 127 * this.unit + 0.5 * least;
    this.radius = 0.36 * least;
    this.turn();
  }

  turn() {
    const [c, s] = [Math.cos(this.angle), Math.sin(this.angle)], tilt = 0.35;
    const scale = (0.5 * LOOK.height) / this.reach;
    const seen = this.places.map(([x, y, z]) => {
      const [right, deep] = [c * x + s * z, c * z - s * x];
      return [LOOK.width / 2 + scale * right, LOOK.height / 2 - scale * (y * Math.cos(tilt) - deep * Math.sin(tilt)), deep * Math.cos(tilt) + y * Math.sin(tilt)];
    });
    this.picture.replaceChildren();
    const shade = (depth) => (0.45 + 0.55 * Math.min(1, Math.max(0, 0.5 + depth / (2 * this.reach)))).toFixed(2);
    const parts = this.joined.map(([i, j]) => [(seen[i][2] + seen[j][2]) / 2, () => shape(this.picture, "path", { class: "bond", opacity: shade((seen[i][2] + seen[j][2]) / 2), d: segment(seen[i][0], seen[i][1], seen[j][0] - seen[i][0], seen[j][1] - seen[i][1]) })]);
    parts.push(...seen.map(([x, y, depth]) => [depth, () => this.ball(x, y, scale * this.radius, shade(depth))]));
    for (const [, draw] of parts.sort(([a], [b]) => a - b)) draw();
  }

  // Over paper, so that what is behind stays hidden.
  ball(x, y, radius, opacity) {
    const place = { cx: x.toFixed(1), cy: y.toFixed(1), r: radius.toFixed(1) };
    shape(this.picture, "circle", { class: "behind", ...place });
    shape(this.picture, "circle", { class: "atom", "fill-opacity": opacity, ...place });
  }

  // While the pointer or the keyboard is at the tree, unless no motion is wanted.
  spin() {
    if (this.spinning || STILL.matches) return;
    this.spinning = true;
    let before = null;
    const frame = (now) => {
      if (!this.spinning || byId("landscape").hidden) { this.spinning = false; return; }
      this.angle += (2 * Math.PI * (now - (before ?? now))) / TURN;
      before = now;
      this.turn();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  rest() {
    this.spinning = false;
  }
}

// Each pattern at what the network says to it, a row for each class; asked for is 1 beyond zero.
class OutputsLook extends Look {
  get says() { return "What the network says to each pattern at this minimum"; }

  reading() {
    const wrong = this.numbers.filter((value, k) => value * this.labels[k] <= 0).length;
    return `output for each of ${this.size} patterns: ${wrong} on the wrong side of zero`;
  }

  draw() {
    const end = Math.max(1.5, 127 * this.unit), at = (value) => scale(-Math.asinh(end), Math.asinh(end), 6, LOOK.width - 6)(Math.asinh(value)), base = LOOK.height - 30;
    this.picture.replaceChildren();
    axisBelow(this.picture, at, [[-1, "−1"], [0, "0"], [1, "1"]], base, [0, LOOK.width]);
    shape(this.picture, "text", { class: "end", x: LOOK.width, y: base + 27 }, "output of the network");
    for (const label of [-1, 1]) {
      const own = [...this.numbers.keys()].filter((k) => this.labels[k] === label);
      const top = label < 0 ? base / 2 : 0, rise = (base / 2 - 24) / Math.max(1, own.length);
      shape(this.picture, "text", { x: 0, y: top + 12 }, label < 0 ? "asked for less than −1" : "asked for more than 1");
      shape(this.picture, "path", { class: "guide", d: `M${at(label).toFixed(1)} ${top + 16}V${top + base / 2}` });
      const dots = (violated) => own.map((k, row) => (this.numbers[k] * label < 1 === violated ? `M${(at(this.numbers[k]) - 1.6).toFixed(1)} ${(top + 18 + rise * row).toFixed(1)}h3.2v2.4h-3.2z` : "")).join("");
      shape(this.picture, "path", { class: "satisfied-mark", d: dots(false) || "M0 0" });
      shape(this.picture, "path", { class: "violated-mark", d: dots(true) || "M0 0" });
    }
    shape(this.picture, "path", { class: "zero", d: `M${at(0)} 0V${base}` });
  }
}

function pictureOf(parent, pictures) {
  if (!pictures) return null;
  return new { atoms: AtomsLook, outputs: OutputsLook }[pictures.kind](parent, pictures);
}
