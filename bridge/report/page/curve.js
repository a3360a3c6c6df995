// Violated constraints per degree of freedom of every run, each marked by its status.

const MARKS = {
  jammed: (x, y) => `M${x - 3} ${y}a3 3 0 1 1 6 0a3 3 0 1 1 -6 0z`,
  unjammed: (x, y) => `M${x - 2.8} ${y}a2.8 2.8 0 1 1 5.6 0a2.8 2.8 0 1 1 -5.6 0z`,
  stalled: (x, y) => `M${x - 3} ${y - 3}l6 6m0 -6l-6 6`,
  dead: (x, y) => `M${x - 4} ${y}h8m-4 -4v8`,
};
const CURVE_BASE = 118;

class CurvePanel {
  constructor(figure, column, highest) {
    const { system } = column, loads = system.runs.map((run) => run.load);
    const ends = [Math.min(...loads), Math.max(...loads)];
    const room = ends[1] > ends[0] ? 0 : 0.05 * Math.abs(ends[0]) || 1;
    const [low, high] = [ends[0] - room, ends[1] + room];
    this.x = scale(low, high, 28, WIDTH - 6);
    this.y = scale(0, 1.08 * highest, CURVE_BASE - 6, 8);
    const picture = canvas(figure, 144, `${system.name}: violated constraints per degree of freedom against load`);
    this.drawAxes(picture, system, [low, high], highest);
    for (const status of Object.keys(MARKS).reverse()) {
      const runs = system.runs.filter((run) => run.status === status);
      const path = runs.map((run) => MARKS[status](this.x(run.load), this.y(run.ratio))).join("");
      if (path) shape(picture, "path", { class: `point-${status}`, d: path });
    }
    this.ring = shape(picture, "circle", { class: "ring", r: 6.5 });
    picture.classList.add("selectable");
    picture.addEventListener("click", (event) => {
      const [place] = pointIn(picture, event, WIDTH, 1);
      const away = (run) => Math.abs(this.x(run.load) - place);
      column.goTo(system.runs.reduce((best, run) => (away(run) < away(best) ? run : best)).position);
    });
  }

  drawAxes(picture, system, [low, high], highest) {
    const { x, y } = this, ticks = (values) => values.map((value) => [value, tickText(value)]);
    axisBelow(picture, x, ticks(roundSteps(low, high, 5)), CURVE_BASE, [22, WIDTH]);
    for (const [value, text] of ticks(roundSteps(0, highest, 3))) {
      shape(picture, "text", { class: "end", x: 18, y: y(value) + 3.5 }, text);
    }
    if (highest > 1) {
      shape(picture, "path", { class: "guide", d: `M22 ${y(1).toFixed(1)}H${WIDTH}` });
      const label = shape(picture, "text", { x: 26, y: y(1) - 4 }, "N");
      shape(label, "tspan", { dy: 2, "font-size": 8 }, "Δ");
      shape(label, "tspan", { dy: -2 }, " = N");
    }
    if (system.transition !== null) {
      shape(picture, "path", { class: "zero", d: `M${x(system.transition).toFixed(1)} 6V${CURVE_BASE}` });
    }
    shape(picture, "text", { class: "end", x: WIDTH, y: CURVE_BASE + 25 }, system.load_words);
  }

  show(frame, run) {
    this.ring.setAttribute("cx", this.x(run.load).toFixed(1));
    this.ring.setAttribute("cy", this.y(run.ratio).toFixed(1));
  }
}
