// What becomes of one body or pattern as the load grows: the push on it, or its gap.

const OWN = { top: 8, base: 62, height: 74 };

class FollowedPanel {
  constructor(figure, motion, x) {
    this.motion = motion;
    this.x = x;
    this.reading = element("p", { class: "reading", "aria-live": "polite" });
    figure.append(this.reading);
    this.picture = canvas(figure, OWN.height, `${motion.name}: what is followed, against load`);
    this.side = shape(this.picture, "rect", { class: "violated-side", x: 22, width: WIDTH - 22, height: 0 });
    this.zero = shape(this.picture, "path", { class: "axis" });
    this.line = shape(this.picture, "path", { class: "own" });
    this.ring = shape(this.picture, "circle", { class: "ring", r: 0 });
    this.label = shape(this.picture, "text", { class: "end", x: WIDTH, y: OWN.height - 1 });
    this.values = [];
    this.follow(null);
  }

  // Of a pattern its gap from where it came in; of a body the sum of its overlaps.
  follow(k) {
    const { motion, label } = this;
    this.member = k;
    label.textContent = k === null ? "" : motion.sizes ? `push on body ${k + 1}, Σ Δ` : `gap Δ of pattern ${k + 1}`;
    const of = (frame) => (motion.sizes ? motion.push(frame, k) : motion.gap(frame, k));
    const there = (frame) => k !== null && (motion.sizes || k < motion.counts[frame]);
    this.values = motion.loads.map((_, frame) => (there(frame) ? of(frame) : null));
    const known = this.values.filter((value) => value !== null);
    const [low, high] = [Math.min(0, ...known), Math.max(1e-6, ...known)];
    this.y = scale(low, high, OWN.base, OWN.top);
    const shown = this.values.flatMap((value, frame) => (value === null ? [] : [`${this.x(motion.loads[frame]).toFixed(1)} ${this.y(value).toFixed(1)}`]));
    setPath(this.line, shown.length ? `M${shown.join("L")}` : "");
    setPath(this.zero, k === null ? "" : `M22 ${this.y(0).toFixed(1)}H${WIDTH}`);
    this.side.setAttribute("y", OWN.top);
    this.side.setAttribute("height", k === null || motion.sizes ? 0 : Math.max(0, this.y(0) - OWN.top).toFixed(1));
  }

  show(frame) {
    const { motion } = this, value = this.values[frame] ?? null;
    this.ring.setAttribute("r", value === null ? 0 : 4.5);
    if (value !== null) {
      this.ring.setAttribute("cx", this.x(motion.loads[frame]).toFixed(1));
      this.ring.setAttribute("cy", this.y(value).toFixed(1));
    }
    this.reading.textContent = this.member === null ? `Click a ${motion.sizes ? "body" : "pattern"} to follow it. From the keyboard: n.` : this.said(frame, value);
  }

  said(frame, value) {
    const { motion, values, member } = this;
    if (motion.sizes) {
      const count = motion.status[frame] === "jammed" ? motion.contacts(frame, member).length : 0;
      return `body ${member + 1}: ${count ? `${counted(count, "contact")}, push Σ Δ = ${number(value, 2)}` : "nothing pushes it"}`;
    }
    if (value === null) return `pattern ${member + 1} is not asked for yet`;
    const turns = (up) => values.slice(1, frame + 1).filter((one, k) => values[k] !== null && values[k] > 0 !== one > 0 && one > 0 === up).length;
    const times = (count) => `${count} ${count === 1 ? "time" : "times"}`;
    return `pattern ${member + 1}: Δ = ${number(value, 2)}, ${value > 0 ? "violated" : "satisfied"}; learned ${times(turns(false))}, forgotten ${times(turns(true))} so far`;
  }
}
