// Patterns that are images: each keeps its place, and its colour says whether it is learned.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const EDGE = 2; // pixels between two images

function coloursOf(names) {
  const style = getComputedStyle(document.documentElement);
  return names.map((name) => {
    const text = style.getPropertyValue(`--${name}`).trim().slice(1), long = text.length === 3 ? [...text].map((c) => c + c).join("") : text;
    return [0, 2, 4].map((k) => parseInt(long.slice(k, k + 2), 16));
  });
}

// One image, into the pixels of a canvas: paper where it is empty, ink where it is full.
function paint(data, across, motion, pattern, [left, top], [paper, ink]) {
  const [height, width] = motion.image_size;
  for (let k = 0; k < height * width; k++) {
    const share = motion.shade(pattern, k) / 15, at = 4 * ((top + Math.floor(k / width)) * across + left + (k % width));
    for (let part = 0; part < 3; part++) data[at + part] = paper[part] + share * (ink[part] - paper[part]);
    data[at + 3] = 255;
  }
}

class MovingImages {
  constructor(figure, motion) {
    this.motion = motion;
    [this.height, this.width] = motion.image_size;
    const most = Math.max(...motion.counts);
    this.across = Math.ceil(Math.sqrt((most * (this.height + EDGE)) / (this.width + EDGE)));
    this.picture = element("canvas", {
      class: "images", width: this.across * (this.width + EDGE), height: Math.ceil(most / this.across) * (this.height + EDGE),
      "aria-label": `${motion.name}: every image, in the colour of what is violated where it is not learned`,
    });
    figure.append(this.picture);
    this.tools = this.picture.getContext("2d", { willReadFrequently: true });
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", () => this.last && this.show(...this.last));
  }

  corner(k) {
    return [(k % this.across) * (this.width + EDGE) + EDGE / 2, Math.floor(k / this.across) * (this.height + EDGE) + EDGE / 2];
  }

  // Those that have just been learned or forgotten, compared with the frame before.
  changed(frame) {
    const { motion } = this, both = frame ? [...Array(motion.counts[frame - 1]).keys()] : [];
    const was = (k) => motion.gap(frame - 1, k) > 0, is = (k) => motion.gap(frame, k) > 0;
    return { learned: both.filter((k) => was(k) && !is(k)), forgotten: both.filter((k) => !was(k) && is(k)) };
  }

  show(place, followed) {
    this.last = [place, followed];
    const { motion, tools, picture } = this, frame = Math.round(place);
    const [paper, ink, violated, satisfied, pick] = coloursOf(["paper", "ink", "violated", "satisfied", "pick"]);
    const drawn = tools.createImageData(picture.width, picture.height);
    for (let k = 0; k < motion.counts[frame]; k++) {
      paint(drawn.data, picture.width, motion, k, this.corner(k), [paper, motion.gap(frame, k) > 0 ? violated : satisfied]);
    }
    tools.putImageData(drawn, 0, 0);
    for (const list of Object.values(this.changed(frame))) for (const k of list) this.frame(k, ink);
    if (followed !== null && followed < motion.counts[frame]) this.frame(followed, pick);
  }

  frame(k, colour) {
    const [x, y] = this.corner(k);
    this.tools.strokeStyle = `rgb(${colour.join(" ")})`;
    this.tools.strokeRect(x - 0.5, y - 0.5, this.width + 1, this.height + 1);
  }

  words(frame) {
    const { learned, forgotten } = this.changed(frame);
    return [element("br"), element("span", { class: "satisfied" }, `${learned.length} just learned`), ", ", element("span", { class: "violated" }, `${forgotten.length} forgotten`)];
  }

  nearest(event, place) {
    const { picture, motion } = this, [x, y] = pointIn(picture, event, picture.width, picture.height);
    const k = Math.floor(y / (this.height + EDGE)) * this.across + Math.floor(x / (this.width + EDGE));
    return Math.min(k, motion.counts[Math.round(place)] - 1);
  }
}
