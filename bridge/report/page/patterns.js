// Patterns: each is a grain on the axis of its gap, and grains in one place pile up. The axis is
// even in arsinh Δ: linear near zero, where it is decided, and logarithmic far away.

const GRAIN = 3; // width of a pile
const PILES = Math.floor(WIDTH / GRAIN);
const PILE_HEIGHT = 200;
const GROUND = PILE_HEIGHT + 28;

class PatternsPanel {
  constructor(figure, column) {
    const { frames, scales, name } = column.system;
    const [low, high, linear] = scales.gap;
    this.linear = linear;
    this.width = (this.along(high) - this.along(low)) / (PILES - 3) || 1;
    this.first = Math.floor(this.along(low) / this.width) - 1;
    this.picture = canvas(figure, WIDTH, `${name}: every pattern at its gap`);
    this.drawGround(low, high);
    const tallest = Math.max(1, ...frames.map((frame) => Math.max(...this.piles(frame))));
    this.rise = Math.min(GRAIN, PILE_HEIGHT / tallest);
  }

  drawGround(low, high) {
    const zero = this.at(0), { picture } = this;
    const side = { x: zero, y: 14, width: WIDTH - zero, height: GROUND - 14 };
    shape(picture, "rect", { class: "violated-side", ...side });
    const layers = ["satisfied-mark", "violated-mark", "picked-mark"];
    [this.satisfied, this.violated, this.picked] = layers.map((name) => shape(picture, "path", { class: name }));
    shape(picture, "path", { class: "zero", d: `M${zero} 14V${GROUND}` });
    axisBelow(picture, (gap) => this.at(gap), this.ticks(low, high), GROUND);
    shape(picture, "text", { class: "end", x: WIDTH, y: GROUND + 25 }, "gap Δ");
    const middle = Math.min(zero, WIDTH - 67);
    this.below = shape(picture, "text", { class: "end", x: middle - 5, y: 10 });
    this.above = shape(picture, "text", { x: middle + 5, y: 10 });
  }

  // Zero and powers of ten on both sides, as many as there is room for.
  ticks(low, high) {
    const found = [[0, "0"]];
    for (const [end, sign] of [[low, -1], [high, 1]]) {
      for (let power = Math.floor(Math.log10(Math.abs(end) || 1)); power > -4; power--) {
        const value = sign * 10 ** power;
        const free = found.every(([other]) => Math.abs(this.at(other) - this.at(value)) > 30);
        if (Math.abs(value) <= Math.abs(end) && free) found.push([value, tickText(Number(value.toPrecision(3)))]);
      }
    }
    return found;
  }

  along(gap) {
    return Math.asinh(gap / this.linear);
  }

  at(gap) {
    return GRAIN * (this.along(gap) / this.width - this.first);
  }

  // Zero is the border between two piles, so that no pile holds both sides.
  pileOf(code) {
    const place = this.at(gapOf(code)) / GRAIN;
    return Math.min(PILES - 1, Math.max(0, code > 0 ? Math.floor(place) : Math.ceil(place) - 1));
  }

  piles(frame) {
    const counts = new Uint32Array(PILES);
    for (const code of codesOf(frame)) counts[this.pileOf(code)]++;
    return counts;
  }

  grains(frame, wanted) {
    const counts = new Uint32Array(PILES);
    const [w, h] = [GRAIN - 0.5, Math.max(0.35, this.rise - 0.35).toFixed(2)];
    let path = "";
    codesOf(frame).forEach((code, k) => {
      const pile = this.pileOf(code), y = GROUND - this.rise * ++counts[pile];
      if (wanted(code, k)) path += `M${GRAIN * pile} ${y.toFixed(2)}h${w}v${h}h${-w}z`;
    });
    return path;
  }

  show(frame) {
    setPath(this.satisfied, this.grains(frame, (code) => code <= 0));
    setPath(this.violated, this.grains(frame, (code) => code > 0));
    const violated = codesOf(frame).filter((code) => code > 0).length;
    this.below.textContent = `${codesOf(frame).length - violated} satisfied`;
    this.above.textContent = `${violated} violated`;
  }

  pick(frame, { constraints }) {
    const wanted = new Set(constraints);
    setPath(this.picked, wanted.size ? this.grains(frame, (_, k) => wanted.has(k)) : "");
  }
}
