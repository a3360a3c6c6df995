// A disconnectivity graph: every line is a minimum or a group of minima, which merge at a saddle.

const RAMP = ["#00224e", "#2f4170", "#575c6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838"]; // cividis

function rampColour(share) {
  const place = Math.min(0.9999, Math.max(0, share)) * (RAMP.length - 1);
  const mix = (k) => [1, 3, 5].map((start) => parseInt(RAMP[k].slice(start, start + 2), 16));
  const [from, to] = [mix(Math.floor(place)), mix(Math.floor(place) + 1)];
  return `rgb(${from.map((value, k) => Math.round(value + (to[k] - value) * (place % 1))).join(" ")})`;
}

function treePanel(parent, landscape) {
  const { strokes, observables } = landscape;
  const leaves = strokes.map((stroke, k) => [stroke[0], k, stroke[3]]).filter(([, , leaf]) => leaf >= 0).sort((a, b) => a[0] - b[0]);
  const energies = strokes.map((stroke) => stroke[1]);
  const options = Object.entries(observables).map(([name, text]) => [name, text])
    .filter(([, values]) => new Set(values.filter((value) => value !== null)).size > 1);
  let chosen = 0, colourBy = (options.find(([name]) => name.startsWith("test")) ?? options[0] ?? [null])[0];

  const holder = element("div", {
    tabindex: "0", role: "group", class: "graph",
    "aria-label": "Disconnectivity graph: arrow keys go from minimum to minimum",
  });
  const select = element("select", {}, ...options.map(([name]) => element("option", { value: name }, name)));
  if (colourBy) select.value = colourBy;
  const ramp = element("div", { class: "ramp" });
  ramp.style.background = `linear-gradient(90deg, ${RAMP.join(", ")})`;
  const ends = element("div", { class: "ends" });
  const body = element("tbody");
  const title = element("caption", { "aria-live": "polite" });
  const side = element("div", {}, element("label", {}, "Colour by ", select), ramp, ends, element("table", {}, title, body));
  parent.append(holder, side);

  let drawn = null;
  function draw() {
    const width = Math.max(300, holder.clientWidth || 700), height = Math.min(520, Math.max(340, 0.55 * width));
    holder.replaceChildren();
    const picture = canvas(holder, height, `${landscape.name}: disconnectivity graph`, width);
    const [low, high] = [Math.min(...energies), Math.max(...energies)];
    const margin = 0.06 * (high - low) || 0.1;
    const x = scale(-0.8, leaves.length - 0.2, 58, width - 6), y = scale(low - margin, high + margin, height - 20, 8);
    shape(picture, "path", { class: "axis", d: `M58 8V${height - 20}` });
    for (const value of roundSteps(low, high, 7)) {
      shape(picture, "path", { class: "axis", d: `M58 ${y(value).toFixed(1)}h-4` });
      shape(picture, "text", { class: "end", x: 51, y: (y(value) + 4).toFixed(1) }, tickText(value));
    }
    shape(picture, "text", { x: 64, y: 14 }, "energy");
    const slant = 0.02 * (high - low);
    const line = ([at, energy, top]) => {
      const start = `M${x(at).toFixed(1)} ${y(energy).toFixed(1)}`;
      if (top < 0) return `${start}V8`;
      const [end, pass] = strokes[top];
      return `${start}V${y(pass - Math.min(slant, 0.5 * (pass - energy))).toFixed(1)}L${x(end).toFixed(1)} ${y(pass).toFixed(1)}`;
    };
    shape(picture, "path", { class: "branch", "stroke-width": leaves.length > 60 ? 0.7 : 1.2, d: strokes.map(line).join("") });
    const path = shape(picture, "path", { class: "path" });
    const radius = Math.min(6, Math.max(1.8, (0.35 * width) / leaves.length));
    const dots = leaves.map(([at, k]) => shape(picture, "circle", { class: "leaf", cx: x(at).toFixed(1), cy: y(strokes[k][1]).toFixed(1), r: radius }));
    if (leaves.length <= 12) {
      for (const [at, k] of leaves) shape(picture, "text", { class: "middle", x: x(at).toFixed(1), y: (y(strokes[k][1]) + radius + 17).toFixed(1) }, number(strokes[k][1], 5));
    }
    const ring = shape(picture, "circle", { class: "ring", r: radius + 4 });
    picture.addEventListener("pointermove", (event) => nearest(event, picture, width, x));
    picture.addEventListener("pointerdown", (event) => nearest(event, picture, width, x));
    drawn = { path, ring, dots, line, x, y };
    paint();
    mark();
  }

  function nearest(event, picture, width, x) {
    const area = picture.getBoundingClientRect();
    const place = ((event.clientX - area.left) / area.width) * width;
    const away = ([at]) => Math.abs(x(at) - place);
    choose(leaves.reduce((best, leaf, k) => (away(leaf) < away(leaves[best]) ? k : best), 0));
  }

  function paint() {
    const values = colourBy ? observables[colourBy] : [];
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    leaves.forEach(([, , leaf], k) => {
      const value = values[leaf];
      drawn.dots[k].setAttribute("fill", value === null || value === undefined ? "none" : rampColour((value - low) / (high - low || 1)));
    });
    if (known.length) ends.replaceChildren(element("span", {}, number(low, 4)), element("span", {}, number(high, 4)));
    side.firstChild.hidden = ramp.hidden = ends.hidden = !options.length;
  }

  function mark() {
    const [at, stroke, leaf] = leaves[chosen];
    let way = "";
    for (let k = stroke; k >= 0; k = strokes[k][2]) way += drawn.line(strokes[k]);
    drawn.path.setAttribute("d", way);
    drawn.ring.setAttribute("cx", drawn.x(at).toFixed(1));
    drawn.ring.setAttribute("cy", drawn.y(strokes[stroke][1]).toFixed(1));
    title.textContent = `Minimum ${chosen + 1} of ${leaves.length}, from the left`;
    body.replaceChildren(...Object.entries(observables).map(([name, values]) => element(
      "tr", {}, element("th", { scope: "row" }, name), element("td", {}, number(values[leaf], name === "energy" ? 8 : Number.isInteger(values[leaf]) ? 1 : 4)),
    )));
  }

  function choose(k) {
    if (k === chosen) return;
    chosen = Math.min(leaves.length - 1, Math.max(0, k));
    mark();
  }

  holder.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: leaves.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  select.addEventListener("change", () => { colourBy = select.value; paint(); });
  chosen = leaves.reduce((best, [, k], place) => (strokes[k][1] < strokes[leaves[best][1]][1] ? place : best), 0);
  return draw;
}
