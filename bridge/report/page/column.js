// One system on its way: what it is, its picture, its numbers, its curve, and what is followed in it.

class MotionColumn {
  constructor(parent, data) {
    this.motion = new Motion(data);
    this.followed = null;
    this.shake = { mode: null, part: 0 };
    const { name, loads, ratios, load_words: words, transition } = this.motion;
    this.part = element("div", { class: "moving" }, element("h2", {}, name));
    this.status = element("p", { class: "status" });
    this.reading = element("p", { class: "reading" });
    const figure = element("figure");
    this.part.append(this.status, figure, this.reading);
    parent.append(this.part);
    this.panel = new (data.sizes ? MovingBodies : data.pixels ? MovingImages : MovingPatterns)(figure, this.motion);
    const status = this.motion.status, runs = loads.map((load, k) => ({ load, ratio: ratios[k], status: status[k], position: 0 }));
    const system = { name, runs, load_words: words, transition };
    const [curve, own] = [element("figure"), element("figure")];
    this.part.append(curve, own);
    this.curve = new CurvePanel(curve, { system, goTo: () => {} }, Math.max(1.2, ...ratios));
    this.own = new FollowedPanel(own, this.motion, this.curve.x);
    this.listen(this.panel.picture);
  }

  show(position) {
    const { motion } = this, place = motion.at(position), frame = Math.round(place);
    this.place = STILL.matches ? frame : place; // no motion between frames where none is wanted
    this.redraw();
    this.curve.show(null, { load: motion.loads[frame], ratio: motion.ratios[frame] });
    this.own.show(frame);
    const status = motion.status[frame];
    this.status.dataset.status = status;
    this.status.textContent = `${RINGS[status]} ${status} at ${motion.load} = ${number(motion.loads[frame], 3)}`;
    const counted = motion.n[frame] ? ` = ${motion.violated[frame]}/${motion.n[frame]} = ${number(motion.ratios[frame], 3)}` : " = 0";
    this.reading.replaceChildren(countSymbol("/N"), counted, `, U = ½ Σ max(Δ, 0)² = ${number(status === "unjammed" ? 0 : motion.energies[frame], 2)}`);
    this.reading.append(...this.panel.words?.(frame) ?? []);
  }

  redraw() {
    this.panel.show(this.place, this.followed, this.shake);
  }

  follow(k) {
    this.followed = k !== null && k >= 0 && k < this.motion.members ? k : null;
    this.redraw();
    this.own.follow(this.followed);
    this.own.show(Math.round(this.place));
    this.onFollow?.(this.followed);
  }

  // A click follows what is there, or lets go of it; n goes on to the next, Escape lets go.
  listen(picture) {
    for (const [name, value] of Object.entries({ role: "group", tabindex: "0", "aria-keyshortcuts": "n Escape" })) picture.setAttribute(name, value);
    picture.classList.add("selectable");
    picture.addEventListener("click", (event) => {
      const found = this.panel.nearest(event, this.place);
      this.follow(found === this.followed ? null : found);
    });
    picture.addEventListener("keydown", (event) => {
      if (event.key === "n") this.follow((this.followed ?? -1) + 1);
      if (event.key === "Escape") this.follow(null);
    });
  }
}
