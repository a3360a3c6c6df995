// Gaps and forces: constraints by log |Δ|, satisfied on the left and violated on the right.

const PER_DECADE = 4;
const LOWEST_DECADE = -9;
const NEGLECTED = 0.003; // share of constraints so near zero that they may stand in the last bin

// The bins of a system: margins from large to small, a break at zero, forces from small to large.
function binsOf(system) {
  const all = system.frames.flatMap((frame) => [...countedCodes(frame)]);
  const decades = (sizes) => {
    if (!sizes.length) return [-2, 0];
    sizes.sort((a, b) => a - b);
    const low = Math.floor(Math.max(LOWEST_DECADE, sizes[Math.floor(NEGLECTED * sizes.length)]));
    return [low, Math.max(low + 1, Math.ceil(sizes.at(-1)))];
  };
  const left = decades(all.filter((code) => code < 0).map(decade));
  const right = decades(all.filter((code) => code > 0).map(decade));
  const counts = [left, right].map(([low, high]) => (high - low) * PER_DECADE);
  const inside = (value, count) => Math.min(count - 1, Math.max(0, Math.floor(value)));
  return {
    left, right, nLeft: counts[0], count: counts[0] + counts[1],
    of(code) {
      if (code === 0) return -1;
      return code < 0
        ? counts[0] - 1 - inside((decade(code) - left[0]) * PER_DECADE, counts[0])
        : counts[0] + inside((decade(code) - right[0]) * PER_DECADE, counts[1]);
    },
    edge(bin) {
      return bin <= counts[0] - 1 ? left[1] - bin / PER_DECADE : right[0] + (bin - counts[0]) / PER_DECADE;
    },
  };
}

function histogramPanel(figure, column) {
  const { system } = column, bins = binsOf(system);
  const [top, base, split] = [12, 112, 10];
  const step = (WIDTH - split) / bins.count;
  const x = (bin) => bin * step + (bin >= bins.nLeft ? split : 0);
  const picture = canvas(figure, 142, `${system.name}: histogram of gaps and forces`);
  picture.setAttribute("tabindex", "0");
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", `${system.name}: gaps and forces. Arrow keys select a part, with shift they widen it, escape selects nothing.`);
  picture.classList.add("selectable");
  const brush = shape(picture, "rect", { class: "brush", y: top, height: base - top, width: 0 });
  const left = shape(picture, "path", { class: "satisfied-mark" });
  const right = shape(picture, "path", { class: "violated-mark" });
  const linked = shape(picture, "path", { class: "picked-mark" });
  drawAxes();
  const reading = element("p", { class: "reading", "aria-live": "polite" });
  figure.append(reading);
  const tally = (codes) => {
    const counts = new Uint32Array(bins.count);
    for (const code of codes) if (code !== 0) counts[bins.of(code)]++;
    return counts;
  };
  const most = Math.max(1, ...system.frames.map((frame) => Math.max(...tally(countedCodes(frame)))));
  shape(picture, "text", { x: 0, y: top - 3 }, `up to ${most} in a bin`);

  function drawAxes() {
    const decadesOf = ([low, high]) => Array.from({ length: high - low + 1 }, (_, k) => low + k);
    const every = Math.ceil(bins.count / PER_DECADE / 6);
    const ticks = (side, place) => decadesOf(side)
      .filter((power) => (power - side[1]) % every === 0).map((power) => [place(power), powerOfTen(power)]);
    const onLeft = (power) => (bins.left[1] - power) * PER_DECADE * step;
    const onRight = (power) => x(bins.nLeft) + (power - bins.right[0]) * PER_DECADE * step;
    const middle = x(bins.nLeft) - split;
    axisBelow(picture, (place) => place, ticks(bins.left, onLeft).filter(([place]) => place > 8 && place < middle - 6), base, [0, middle]);
    axisBelow(picture, (place) => place, ticks(bins.right, onRight).filter(([place]) => place < WIDTH - 8 && place > middle + 14), base, [middle + split, WIDTH]);
    shape(picture, "text", { class: "satisfied-mark", x: 0, y: base + 27 }, "margin −Δ");
    shape(picture, "text", { class: "violated-mark end", x: WIDTH, y: base + 27 }, "force Δ");
  }

  function bars(counts, first, last) {
    let path = "";
    for (let bin = first; bin < last; bin++) {
      const height = (counts[bin] / most) * (base - top - 4);
      if (height) path += `M${x(bin).toFixed(2)} ${base}v${-height.toFixed(2)}h${(step - 0.4).toFixed(2)}V${base}z`;
    }
    return path || nothing;
  }

  const binAt = (event) => {
    const area = picture.getBoundingClientRect();
    const place = ((event.clientX - area.left) / area.width) * WIDTH;
    const bin = Math.floor((place < x(bins.nLeft) ? Math.min(place, x(bins.nLeft) - split - 0.01) : place - split) / step);
    return Math.min(bins.count - 1, Math.max(0, bin));
  };
  let anchor = null;
  picture.addEventListener("pointerdown", (event) => {
    anchor = binAt(event);
    picture.setPointerCapture(event.pointerId);
    column.pickBins([anchor, anchor]);
  });
  picture.addEventListener("pointermove", (event) => {
    if (anchor === null) return;
    const bin = binAt(event);
    column.pickBins([Math.min(anchor, bin), Math.max(anchor, bin)]);
  });
  for (const name of ["pointerup", "pointercancel"]) picture.addEventListener(name, () => { anchor = null; });
  picture.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") column.pickBins(null);
    if (way === undefined) return;
    event.preventDefault();
    column.pickBins(column.bins ? moved(column.bins, way, event.shiftKey) : fullest(way));
  });

  function moved([from, to], way, widen) {
    const inside = (bin) => Math.min(bins.count - 1, Math.max(0, bin));
    if (!widen) return [inside(from + way), inside(from + way)];
    return way > 0 ? [from, inside(to + 1)] : [inside(from - 1), to];
  }

  // The first arrow selects where most constraints are, on its own side of zero.
  function fullest(way) {
    const counts = tally(countedCodes(column.frame));
    const side = way < 0 ? counts.subarray(0, bins.nLeft) : counts.subarray(bins.nLeft);
    const bin = side.indexOf(Math.max(...side)) + (way < 0 ? 0 : bins.nLeft);
    return [bin, bin];
  }

  return {
    bins,
    show(frame) {
      const counts = tally(countedCodes(frame));
      left.setAttribute("d", bars(counts, 0, bins.nLeft));
      right.setAttribute("d", bars(counts, bins.nLeft, bins.count));
    },
    pick(frame, { constraints, around, text }) {
      const codes = codesOf(frame);
      linked.setAttribute("d", bars(tally([...new Set([...constraints, ...around])].filter((k) => k < frame.counted).map((k) => codes[k])), 0, bins.count));
      const [first, last] = column.bins ?? [0, -1];
      brush.setAttribute("x", x(first));
      brush.setAttribute("width", last < first ? 0 : x(last) + step - x(first));
      reading.textContent = text;
      reading.classList.toggle("picked", Boolean(constraints.length));
    },
  };
}
