// Patterns: each is a grain on the axis of its gap, and grains in one place pile up. The axis is
// even in arsinh Δ: linear near zero, where it is decided, and logarithmic far away.

const PILE = { height: 200, grain: 3 };

// Zero and powers of ten on both sides, as many as there is room for.
function signedDecades(low, high, at) {
  const ticks = [[0, "0"]];
  for (const [end, sign] of [[low, -1], [high, 1]]) {
    for (let power = Math.floor(Math.log10(Math.abs(end) || 1)); power > -4; power--) {
      const value = sign * 10 ** power;
      const free = ticks.every(([other]) => Math.abs(at(other) - at(value)) > 30);
      if (Math.abs(value) <= Math.abs(end) && free) ticks.push([value, tickText(Number(value.toPrecision(3)))]);
    }
  }
  return ticks;
}

function patternsPanel(figure, column) {
  const { system } = column;
  const [low, high, linear] = system.scales.gap;
  const along = (gap) => Math.asinh(gap / linear);
  const picture = canvas(figure, WIDTH, `${system.name}: every pattern at its gap`);
  const grain = PILE.grain, base = PILE.height + 28;
  // Zero is the border between two piles, so that no pile holds both sides.
  const count = Math.floor(WIDTH / grain);
  const width = (along(high) - along(low)) / (count - 3) || 1;
  const first = Math.floor(along(low) / width) - 1;
  const at = (gap) => grain * (along(gap) / width - first);
  const pileOf = (code) => {
    const place = along(gapOf(code)) / width - first;
    return Math.min(count - 1, Math.max(0, code > 0 ? Math.floor(place) : Math.ceil(place) - 1));
  };
  shape(picture, "rect", { class: "violated-side", x: at(0), y: 14, width: WIDTH - at(0), height: base - 14 });
  const satisfied = shape(picture, "path", { class: "satisfied-mark" });
  const violated = shape(picture, "path", { class: "violated-mark" });
  const picked = shape(picture, "path", { class: "picked-mark" });
  shape(picture, "path", { class: "zero", d: `M${at(0)} 14V${base}` });
  axisBelow(picture, at, signedDecades(low, high, at), base);
  shape(picture, "text", { class: "end", x: WIDTH, y: base + 25 }, "gap Δ");
  const says = {
    satisfied: shape(picture, "text", { class: "end", x: Math.min(at(0) - 5, WIDTH - 72), y: 10 }),
    violated: shape(picture, "text", { x: Math.min(at(0) + 5, WIDTH - 62), y: 10 }),
  };
  const tallest = Math.max(1, ...system.frames.map((frame) => {
    const piles = new Uint32Array(count);
    for (const code of codesOf(frame)) piles[pileOf(code)]++;
    return Math.max(...piles);
  }));
  const rise = Math.min(grain, PILE.height / tallest);

  function grains(frame, wanted) {
    const piles = new Uint32Array(count);
    let path = "";
    codesOf(frame).forEach((code, k) => {
      const pile = pileOf(code), y = base - rise * ++piles[pile];
      if (wanted(code, k)) {
        const [w, h] = [grain - 0.5, Math.max(0.35, rise - 0.35)];
        path += `M${grain * pile} ${y.toFixed(2)}h${w}v${h.toFixed(2)}h${-w}z`;
      }
    });
    return path || nothing;
  }

  return {
    show(frame) {
      satisfied.setAttribute("d", grains(frame, (code) => code <= 0));
      violated.setAttribute("d", grains(frame, (code) => code > 0));
      const above = codesOf(frame).reduce((sum, code) => sum + (code > 0), 0);
      const below = codesOf(frame).length - above;
      says.satisfied.textContent = `${below} satisfied`;
      says.violated.textContent = `${above} violated`;
    },
    pick(frame, { constraints }) {
      const wanted = new Set(constraints);
      picked.setAttribute("d", wanted.size ? grains(frame, (_, k) => wanted.has(k)) : nothing);
    },
  };
}
