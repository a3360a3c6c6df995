// Gaps and forces: constraints by log |Δ|, satisfied on the left and violated on the right.

const PER_DECADE = 4;
const LOWEST_DECADE = -9;
const NEGLECTED = 0.003; // share of constraints so near zero that they may stand in the last bin
const [BARS_TOP, BARS_BASE, SPLIT] = [12, 112, 10];

// The bins of a system: margins from large to small, a break at zero, forces from small to large.
class Bins {
  constructor(frames) {
    const codes = frames.flatMap((frame) => [...countedCodes(frame)]);
    this.left = Bins.decades(codes.filter((code) => code < 0));
    this.right = Bins.decades(codes.filter((code) => code > 0));
    [this.nLeft, this.nRight] = [this.left, this.right].map(([low, high]) => (high - low) * PER_DECADE);
    this.count = this.nLeft + this.nRight;
    this.step = (WIDTH - SPLIT) / this.count;
  }

  static decades(codes) {
    if (!codes.length) return [-2, 0];
    const sizes = codes.map(decade).sort((a, b) => a - b);
    const low = Math.floor(Math.max(LOWEST_DECADE, sizes[Math.floor(NEGLECTED * sizes.length)]));
    return [low, Math.max(low + 1, Math.ceil(sizes.at(-1)))];
  }

  of(code) {
    const inside = (power, [low], count) => Math.min(count - 1, Math.max(0, Math.floor((power - low) * PER_DECADE)));
    return code < 0
      ? this.nLeft - 1 - inside(decade(code), this.left, this.nLeft)
      : this.nLeft + inside(decade(code), this.right, this.nRight);
  }

  tally(codes) {
    const counts = new Uint32Array(this.count);
    for (const code of codes) if (code !== 0) counts[this.of(code)]++;
    return counts;
  }

  x(bin) {
    return bin * this.step + (bin >= this.nLeft ? SPLIT : 0);
  }

  at(x) {
    const border = this.nLeft * this.step;
    const bin = Math.floor((x < border + SPLIT ? Math.min(x, border - 0.01) : x - SPLIT) / this.step);
    return Math.min(this.count - 1, Math.max(0, bin));
  }
}

class HistogramPanel {
  constructor(figure, column) {
    const { frames, name } = column.system;
    this.column = column;
    this.bins = new Bins(frames);
    this.most = Math.max(1, ...frames.map((frame) => Math.max(...this.bins.tally(countedCodes(frame)))));
    const says = `${name}: gaps and forces. Arrow keys select a part, with shift they widen it, escape selects nothing.`;
    this.picture = canvas(figure, 142, says);
    this.picture.setAttribute("role", "group");
    this.picture.setAttribute("tabindex", "0");
    this.picture.classList.add("selectable");
    this.brush = shape(this.picture, "rect", { class: "brush", y: BARS_TOP, height: BARS_BASE - BARS_TOP, width: 0 });
    const layers = ["satisfied-mark", "violated-mark", "picked-mark"];
    [this.margins, this.forces, this.linked] = layers.map((layer) => shape(this.picture, "path", { class: layer }));
    this.drawAxes();
    this.reading = element("p", { class: "reading", "aria-live": "polite" });
    figure.append(this.reading);
    this.listen();
  }

  drawAxes() {
    const { bins, picture } = this, right = bins.x(bins.nLeft), left = right - SPLIT;
    const every = Math.ceil(bins.count / PER_DECADE / 6);
    const ticks = ([low, high], place) => Array.from({ length: high - low + 1 }, (_, k) => low + k)
      .filter((power) => (power - high) % every === 0)
      .map((power) => [place((power - low) * PER_DECADE * bins.step), powerOfTen(power)]);
    const within = (from, to) => ([x]) => x > from + 8 && x < to - 8;
    const draw = (marks, from, to) => axisBelow(picture, (x) => x, marks.filter(within(from, to)), BARS_BASE, [from, to]);
    draw(ticks(bins.left, (x) => left - x), 0, left);
    draw(ticks(bins.right, (x) => right + x), right, WIDTH);
    shape(picture, "text", { class: "satisfied-mark", x: 0, y: BARS_BASE + 27 }, "margin −Δ");
    shape(picture, "text", { class: "violated-mark end", x: WIDTH, y: BARS_BASE + 27 }, "force Δ");
    shape(picture, "text", { x: 0, y: BARS_TOP - 3 }, `up to ${this.most} in a column`);
  }

  bars(counts, first, last) {
    let path = "";
    for (let bin = first; bin < last; bin++) {
      const height = (counts[bin] / this.most) * (BARS_BASE - BARS_TOP - 4);
      const [x, w] = [this.bins.x(bin).toFixed(2), (this.bins.step - 0.4).toFixed(2)];
      if (height) path += `M${x} ${BARS_BASE}v${-height.toFixed(2)}h${w}V${BARS_BASE}z`;
    }
    return path;
  }

  show(frame) {
    const counts = this.bins.tally(countedCodes(frame));
    setPath(this.margins, this.bars(counts, 0, this.bins.nLeft));
    setPath(this.forces, this.bars(counts, this.bins.nLeft, this.bins.count));
  }

  pick(frame, { constraints, around, text }) {
    const codes = codesOf(frame), { bins } = this;
    const touched = [...new Set([...constraints, ...around])].map((k) => codes[k]);
    setPath(this.linked, this.bars(bins.tally(touched), 0, bins.count));
    const [first, last] = this.column.bins ?? [0, -1];
    this.brush.setAttribute("x", bins.x(first));
    this.brush.setAttribute("width", last < first ? 0 : bins.x(last) + bins.step - bins.x(first));
    this.reading.textContent = text;
    this.reading.classList.toggle("picked", constraints.length > 0);
  }

  listen() {
    const { picture, column } = this;
    const binAt = (event) => this.bins.at(pointIn(picture, event, WIDTH, 1)[0]);
    let anchor = null;
    const drag = (event) => column.pickBins([Math.min(anchor, binAt(event)), Math.max(anchor, binAt(event))]);
    picture.addEventListener("pointerdown", (event) => {
      anchor = binAt(event);
      picture.setPointerCapture(event.pointerId);
      drag(event);
    });
    picture.addEventListener("pointermove", (event) => { if (anchor !== null) drag(event); });
    for (const name of ["pointerup", "pointercancel"]) picture.addEventListener(name, () => { anchor = null; });
    picture.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") column.pickBins(null);
      if (way === undefined) return;
      event.preventDefault();
      column.pickBins(column.bins ? this.moved(column.bins, way, event.shiftKey) : this.fullest(way));
    });
  }

  moved([from, to], way, widen) {
    const inside = (bin) => Math.min(this.bins.count - 1, Math.max(0, bin));
    if (!widen) return [inside(from + way), inside(from + way)];
    return way > 0 ? [from, inside(to + 1)] : [inside(from - 1), to];
  }

  // The first arrow selects where most constraints are, on its own side of zero.
  fullest(way) {
    const { bins } = this, counts = bins.tally(countedCodes(this.column.frame));
    const side = way < 0 ? counts.subarray(0, bins.nLeft) : counts.subarray(bins.nLeft);
    const bin = side.indexOf(Math.max(...side)) + (way < 0 ? 0 : bins.nLeft);
    return [bin, bin];
  }
}
