// What moves the motions: buttons, a slider, Space and the arrow keys; forward and back.

const SWING = 2400; // milliseconds to and fro along a mode

class Playback {
  constructor(motions) {
    const parent = byId("moving");
    this.columns = motions.map((data) => new MotionColumn(parent, data));
    this.way = 0; // 1 while it plays forward, -1 back
    this.input = byId("motion-load");
    this.buttons = { 1: byId("motion-play"), [-1]: byId("motion-back") };
    for (const way of [1, -1]) this.buttons[way].addEventListener("click", () => this.toggle(way));
    this.input.addEventListener("input", () => { this.stop(); this.goTo(this.input.value / 100); });
    document.addEventListener("keydown", (event) => this.press(event));
    byId("shake").hidden = !this.columns.some(({ motion }) => motion.modes);
    byId("mode").addEventListener("change", (event) => this.shake(event.target.value === "" ? null : Number(event.target.value)));
    this.goTo(-1);
  }

  // Move what is jammed to and fro along one of its softest modes; still arrows where no motion is wanted.
  shake(mode) {
    this.mode = mode;
    const moving = this.columns.filter(({ motion }) => motion.modes);
    const show = (part) => {
      for (const column of moving) {
        column.shake = { mode, part };
        column.redraw();
      }
    };
    const frame = (now) => {
      if (this.mode !== mode) return;
      if (!byId("motion").hidden) show(Math.sin((2 * Math.PI * now) / SWING));
      requestAnimationFrame(frame);
    };
    show(0);
    if (mode !== null && !STILL.matches) requestAnimationFrame(frame);
  }

  // What is followed, as a text for the address: the name of its system, and its number.
  followed() {
    return this.columns.filter(({ followed }) => followed !== null).map(({ motion, followed }) => `${motion.name}:${followed}`).join(" ");
  }

  follow(text) {
    for (const column of this.columns) {
      const found = text.split(" ").find((one) => one.startsWith(`${column.motion.name}:`));
      column.follow(found ? Number(found.split(":").at(-1)) : null);
    }
  }

  goTo(position) {
    this.position = Math.min(1, Math.max(-1, position));
    this.input.value = 100 * this.position;
    for (const column of this.columns) column.show(this.position);
    const words = whereOn(this.position);
    byId("motion-position").textContent = words;
    this.input.setAttribute("aria-valuetext", words);
    if (!this.way) this.onMove?.(this.position);
  }

  // Only some of the systems, or all if none is named.
  only(names) {
    for (const { part, motion } of this.columns) part.hidden = names.length > 0 && !names.includes(motion.name);
    if (this.columns.every(({ part }) => part.hidden)) this.only([]);
  }

  toggle(way) {
    if (this.way === way) this.stop();
    else this.start(way);
  }

  start(way) {
    if (this.position === way) this.goTo(-way);
    this.way = way;
    let before = null;
    const advance = (now) => {
      if (this.way !== way) return;
      this.goTo(this.position + (way * PER_SECOND * (now - (before ?? now))) / 1000);
      before = now;
      if (this.position === way) this.stop();
      else requestAnimationFrame(advance);
    };
    this.label();
    requestAnimationFrame(advance);
  }

  stop() {
    if (!this.way) return;
    this.way = 0;
    this.label();
    this.onMove?.(this.position);
  }

  label() {
    const signs = { 1: ["▶", "Play forward"], [-1]: ["◀", "Play back"] };
    for (const way of [1, -1]) {
      const [sign, words] = this.way === way ? ["❚❚", "Pause"] : signs[way];
      this.buttons[way].textContent = sign;
      this.buttons[way].setAttribute("aria-label", words);
    }
  }

  // Keys that no other part of the page has use for.
  press(event) {
    const busy = event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey;
    if (busy || byId("motion").hidden || event.target.closest("button, input, select, a, [role=group]:not(.moving *)")) return;
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key !== " " && !way) return;
    event.preventDefault();
    if (event.key === " ") this.toggle(this.way || 1);
    else { this.stop(); this.goTo(this.position + way * FRAME_STEP); }
  }
}

function whereOn(position) {
  const share = Math.round(100 * Math.abs(position)), end = position > 0 ? "highest" : "lowest";
  if (share === 0) return "at the transition";
  return share === 100 ? `${end} load` : `${share} % towards the ${end}`;
}
