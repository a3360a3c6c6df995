// All systems on one axis: violated constraints per degree of freedom against scaled load.

const OVERLAY = { width: 900, height: 470, left: 56, right: 150, base: 420 };
const SERIES = 7; // colours, in style.css

class Overlay {
  constructor(systems) {
    this.systems = systems.filter(({ transition }) => transition !== null);
    this.picture = canvas(byId("all"), OVERLAY.height, "Violated constraints per degree of freedom of all systems against scaled load", OVERLAY.width);
    this.relative = byId("relative");
    this.relative.addEventListener("change", () => this.draw());
    this.draw();
  }

  // The load over that of the transition, or the distance to it in parts of what was swept.
  scaled(system, run) {
    return this.relative.value === "ratio" ? run.load / system.transition : run.position;
  }

  draw() {
    const { width, left, right, base } = OVERLAY;
    const decided = ({ status }) => status === "jammed" || status === "unjammed";
    const series = this.systems.map((system) => system.runs.filter(decided).map((run) => [this.scaled(system, run), run.ratio, run.status]));
    const loads = series.flat().map(([load]) => load);
    const [low, high, top] = [Math.min(...loads), Math.max(...loads), Math.max(1, ...series.flat().map(([, ratio]) => ratio))];
    const x = scale(low, high, left, width - right), y = scale(0, 1.05 * top, base, 16);
    this.picture.replaceChildren();
    axisBelow(this.picture, x, roundSteps(low, high, 6).map((value) => [value, tickText(value)]), base + 8, [left, width - right]);
    for (const value of roundSteps(0, top, 4)) shape(this.picture, "text", { class: "end", x: left - 10, y: y(value) + 4 }, tickText(value));
    const where = x(this.relative.value === "ratio" ? 1 : 0);
    shape(this.picture, "path", { class: "zero", d: `M${where} 10V${base + 8}` });
    shape(this.picture, "path", { class: "guide", d: `M${left} ${y(1)}H${width - right}` });
    shape(this.picture, "text", { x: left + 4, y: y(1) - 5 }, "isostatic: as many forces as unknowns");
    shape(this.picture, "text", { class: "end", x: width - right, y: base + 42 }, this.relative.value === "ratio" ? "load / load at the transition" : "load: 0 the transition, 1 the highest that was tried");
    const label = shape(this.picture, "text", { x: 0, y: 12 }, "N");
    shape(label, "tspan", { dy: 3, "font-size": 9 }, "Δ");
    shape(label, "tspan", { dy: -3 }, " / N");
    series.forEach((points, k) => this.line(points, x, y, k));
  }

  // The mean of the runs at each load as a line, every run as a mark, the name at the end.
  line(points, x, y, k) {
    const name = `series series-${k % SERIES}`, loads = [...new Set(points.map(([load]) => load))].sort((a, b) => a - b);
    const mean = (load) => {
      const found = points.filter(([other]) => other === load);
      return found.reduce((sum, [, ratio]) => sum + ratio, 0) / found.length;
    };
    const d = loads.map((load, place) => `${place ? "L" : "M"}${x(load).toFixed(1)} ${y(mean(load)).toFixed(1)}`).join("");
    shape(this.picture, "path", { d, fill: "none", stroke: "currentColor", "stroke-width": 2, class: name });
    for (const status of ["jammed", "unjammed"]) {
      const marks = points.filter((point) => point[2] === status).map(([load, ratio]) => MARKS[status](x(load), y(ratio))).join("");
      if (marks) shape(this.picture, "path", { d: marks, fill: status === "jammed" ? "currentColor" : "none", stroke: "currentColor", class: name });
    }
    const key = 22 + 20 * k, end = OVERLAY.width - OVERLAY.right + 14;
    shape(this.picture, "path", { d: `M${end} ${key}h22`, stroke: "currentColor", "stroke-width": 3, class: name });
    shape(this.picture, "text", { class: "name", x: end + 28, y: key + 4 }, this.systems[k].name);
  }
}
