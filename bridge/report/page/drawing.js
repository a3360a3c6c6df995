"use strict";
// What every panel draws with. All text goes in as text, never as markup.

const SVG_SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 260; // of a panel, in its own units

const byId = (name) => document.getElementById(name);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function shape(parent, tag, attributes = {}, text = null) {
  const made = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function canvas(parent, height, label, width = WIDTH) {
  return shape(parent, "svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label,
  });
}

// The inverse of bridge/report/compact.py.
function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Kind(bytes.buffer);
}

function decade(code) {
  return (Math.abs(code) - 1) / 1500 - 12;
}

function gapOf(code) {
  return code === 0 ? 0 : Math.sign(code) * 10 ** decade(code);
}

// The gaps of a frame, decoded when it is first shown: only those of the backbone are counted.
function codesOf(frame) {
  frame.codes ??= unpack(frame.gaps, Int16Array);
  return frame.codes;
}

function countedCodes(frame) {
  return codesOf(frame).subarray(0, frame.counted);
}

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function powerOfTen(exponent) {
  return "10" + [...String(exponent)].map((character) => SUPERSCRIPTS[character]).join("");
}

function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) {
    const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
    return String(value.toFixed(Math.min(places, 12))).replace("-", "−");
  }
  const exponent = Math.floor(Math.log10(size));
  return `${(value / 10 ** exponent).toFixed(digits - 1).replace("-", "−")} × ${powerOfTen(exponent)}`;
}

function scale(low, high, start, end) {
  const span = high - low || 1;
  return (value) => start + ((value - low) / span) * (end - start);
}

function roundSteps(low, high, most) {
  const span = high - low || Math.abs(low) || 1;
  let step = 10 ** Math.ceil(Math.log10(span / most));
  for (const finer of [5, 2]) if (span / (step / finer) <= most) { step /= finer; break; }
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(9)));
}

function tickText(value) {
  return String(value).replace("-", "−");
}

function axisBelow(parent, at, ticks, y, [start, end] = [0, WIDTH]) {
  shape(parent, "path", { class: "axis", d: `M${start} ${y}H${end}` });
  for (const [value, text] of ticks) {
    shape(parent, "path", { class: "axis", d: `M${at(value).toFixed(1)} ${y}v3` });
    shape(parent, "text", { class: "middle", x: at(value).toFixed(1), y: y + 13 }, text);
  }
}

function arrow(x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 1) return "";
  const head = (turn) => [dx * Math.cos(turn) - dy * Math.sin(turn), dx * Math.sin(turn) + dy * Math.cos(turn)].map((value) => ((-0.35 * Math.min(length, 12) * value) / length).toFixed(1)).join(" ");
  const tip = `M${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}l`;
  return `M${x.toFixed(1)} ${y.toFixed(1)}l${dx.toFixed(1)} ${dy.toFixed(1)}${tip}${head(0.5)}${tip}${head(-0.5)}`;
}

function setPath(path, d) {
  path.setAttribute("d", d || "M0 0");
}

// Where a pointer is, in the units of a picture.
function pointIn(picture, event, width, height) {
  const area = picture.getBoundingClientRect();
  return [
    ((event.clientX - area.left) / area.width) * width,
    ((event.clientY - area.top) / area.height) * height,
  ];
}
