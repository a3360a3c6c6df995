// A packing: bodies in their periodic box, and the network of their forces.

const FORCE_WIDTHS = [0.25, 0.6, 1, 1.5, 2.2, 3.2, 4.5]; // in units of the mean force

function sceneOf(frame) {
  if (frame.scene) return frame.scene;
  const fraction = (text) => Float64Array.from(unpack(text, Uint16Array), (value) => value / 65536);
  frame.scene = {
    x: fraction(frame.x), y: fraction(frame.y), angle: frame.angle && fraction(frame.angle),
    shape: unpack(frame.shape, Uint16Array), held: unpack(frame.held, Uint8Array),
    i: unpack(frame.i, Uint16Array), j: unpack(frame.j, Uint16Array),
    image: unpack(frame.image, Uint8Array),
  };
  return frame.scene;
}

function outline(x, y, long, short, angle) {
  const dx = (long * Math.cos(angle)).toFixed(2), dy = (-long * Math.sin(angle)).toFixed(2);
  const turn = ((-angle * 180) / Math.PI).toFixed(1);
  const arc = `a${long.toFixed(2)} ${short.toFixed(2)} ${turn} 1 1 `;
  return `M${(x - dx).toFixed(2)} ${(y - dy).toFixed(2)}${arc}${2 * dx} ${2 * dy}${arc}${-2 * dx} ${-2 * dy}z`;
}

function bodiesPanel(figure, column) {
  const first = column.system.frames[0];
  const height = WIDTH * first.box;
  const picture = canvas(figure, height, `${column.system.name}: the packing and its forces`);
  picture.classList.add("clipped");
  const layers = {};
  for (const name of ["held", "loose", "picked-bodies"]) layers[name] = shape(picture, "path", { class: name });
  const forces = FORCE_WIDTHS.map((width) => shape(picture, "path", { class: "force" }));
  layers.pairs = shape(picture, "path", { class: "picked-pairs" });
  shape(picture, "rect", { class: "frame", width: WIDTH, height });

  function place(scene, k) {
    return [WIDTH * scene.x[k], height * (1 - scene.y[k])];
  }

  function body(frame, k) {
    const scene = sceneOf(frame);
    const [long, short] = frame.shapes[scene.shape[k]].map((axis) => (axis * WIDTH) / 2);
    const [x, y] = place(scene, k);
    const angle = scene.angle ? scene.angle[k] * Math.PI : 0;
    let path = "";
    for (const a of [x - WIDTH, x, x + WIDTH]) {
      if (a < -long || a > WIDTH + long) continue;
      for (const b of [y - height, y, y + height]) {
        if (b > -long && b < height + long) path += outline(a, b, long, short, angle);
      }
    }
    return path;
  }

  // Once from either body, since a contact through the wall is seen on both sides.
  function line(frame, pair) {
    const scene = sceneOf(frame);
    const [x, y] = place(scene, scene.i[pair]), [u, v] = place(scene, scene.j[pair]);
    const right = (scene.image[pair] >> 4) - 7, up = (scene.image[pair] & 15) - 7;
    const dx = u - x + right * WIDTH, dy = v - y - up * height;
    const from = (a, b, c, d) => `M${a.toFixed(1)} ${b.toFixed(1)}l${c.toFixed(1)} ${d.toFixed(1)}`;
    return from(x, y, dx, dy) + (right || up ? from(u, v, -dx, -dy) : "");
  }

  function drawForces(frame) {
    const codes = countedCodes(frame);
    const touching = [...codes.keys()].filter((pair) => codes[pair] > 0);
    const mean = touching.reduce((sum, pair) => sum + gapOf(codes[pair]), 0) / touching.length;
    const paths = FORCE_WIDTHS.map(() => "");
    for (const pair of touching) {
      const strength = gapOf(codes[pair]) / mean;
      const level = FORCE_WIDTHS.findIndex((width) => strength < 1.25 * width);
      paths[level < 0 ? paths.length - 1 : level] += line(frame, pair);
    }
    const size = Math.min(1.3, Math.sqrt(130 / sceneOf(frame).x.length));
    paths.forEach((path, level) => {
      forces[level].setAttribute("d", path || nothing);
      forces[level].setAttribute("stroke-width", (size * FORCE_WIDTHS[level]).toFixed(2));
    });
  }

  picture.addEventListener("pointermove", (event) => {
    const frame = column.frame;
    const scene = sceneOf(frame), area = picture.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width, y = 1 - (event.clientY - area.top) / area.height;
    let nearest = 0, least = Infinity;
    for (let k = 0; k < scene.x.length; k++) {
      const dx = Math.abs(scene.x[k] - x), dy = Math.abs(scene.y[k] - y);
      const distance = Math.hypot(Math.min(dx, 1 - dx), first.box * Math.min(dy, 1 - dy));
      if (distance < least) [nearest, least] = [k, distance];
    }
    column.pickBody(nearest);
  });
  picture.addEventListener("pointerleave", () => column.pickBody(null));

  return {
    show(frame) {
      const { held } = sceneOf(frame);
      const paths = ["", ""];
      held.forEach((one, k) => { paths[one] += body(frame, k); });
      layers.loose.setAttribute("d", paths[0] || nothing);
      layers.held.setAttribute("d", paths[1] || nothing);
      drawForces(frame);
    },
    pick(frame, picked) {
      layers["picked-bodies"].setAttribute("d", picked.bodies.map((k) => body(frame, k)).join("") || nothing);
      layers.pairs.setAttribute("d", picked.constraints.map((pair) => line(frame, pair)).join("") || nothing);
    },
  };
}
