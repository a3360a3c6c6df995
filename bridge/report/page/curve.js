// Violated constraints per degree of freedom of every run, each marked by its status.

const MARKS = {
  jammed: (x, y) => `M${x - 3} ${y}a3 3 0 1 1 6 0a3 3 0 1 1 -6 0z`,
  unjammed: (x, y) => `M${x - 2.8} ${y}a2.8 2.8 0 1 1 5.6 0a2.8 2.8 0 1 1 -5.6 0z`,
  stalled: (x, y) => `M${x - 3} ${y - 3}l6 6m0 -6l-6 6`,
  dead: (x, y) => `M${x - 4} ${y}h8m-4 -4v8`,
};

function curvePanel(figure, column, highest) {
  const { system } = column;
  const loads = system.runs.map((run) => run.load);
  const [low, high] = [Math.min(...loads), Math.max(...loads)];
  const x = scale(low, high, 28, WIDTH - 6), y = scale(0, highest, 112, 12);
  const picture = canvas(figure, 142, `${system.name}: violated constraints per degree of freedom against load`);
  axisBelow(picture, x, roundSteps(low, high, 5).map((value) => [value, tickText(value)]), 118, [22, WIDTH]);
  for (const value of roundSteps(0, highest, 3)) {
    shape(picture, "text", { class: "end", x: 18, y: y(value) + 3.5 }, tickText(value));
  }
  if (highest > 1) {
    shape(picture, "path", { class: "guide", d: `M22 ${y(1).toFixed(1)}H${WIDTH}` });
    const label = shape(picture, "text", { x: 26, y: y(1) - 4 }, "N");
    shape(label, "tspan", { dy: 2, "font-size": 8 }, "Δ");
    shape(label, "tspan", { dy: -2 }, " = N");
  }
  if (system.transition !== null) {
    const at = x(system.transition).toFixed(1);
    shape(picture, "path", { class: "zero", d: `M${at} 8V118` });
  }
  shape(picture, "text", { class: "end", x: WIDTH, y: 142 }, system.load_words);
  for (const status of Object.keys(MARKS).reverse()) {
    const runs = system.runs.filter((run) => run.status === status);
    const path = runs.map((run) => MARKS[status](x(run.load), y(run.ratio))).join("");
    if (path) shape(picture, "path", { class: `point-${status}`, d: path });
  }
  const ring = shape(picture, "circle", { class: "ring", r: 6.5 });
  picture.classList.add("selectable");
  picture.addEventListener("click", (event) => {
    const area = picture.getBoundingClientRect();
    const place = ((event.clientX - area.left) / area.width) * WIDTH;
    const away = (run) => Math.abs(x(run.load) - place);
    column.goTo(system.runs.reduce((best, run) => (away(run) < away(best) ? run : best)).position);
  });
  return {
    show(frame, run) {
      ring.setAttribute("cx", x(run.load).toFixed(1));
      ring.setAttribute("cy", y(run.ratio).toFixed(1));
    },
  };
}
