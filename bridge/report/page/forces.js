// Energies and forces of the live packing and the live perceptron, as particles/ has them. The
// tests of the project compare every number here with that of the Python code.

// The maximiser of λ(1-λ) rᵀG⁻¹r, G = (1-λ)A + λB, by Newton inside a bracket; the shapes are
// A = [[m + p, q], [q, m - p]]. Perram and Wertheim, J. Comput. Phys. 58, 409 (1985).
function multiplier(x, y, [ma, pa, qa], [mb, pb, qb]) {
  const square = x * x + y * y, twist = x * x - y * y, cross = 2 * x * y;
  const u = ma * square - (pa * twist + qa * cross), w = mb * square - (pb * twist + qb * cross) - u;
  const c0 = ma * ma - pa * pa - qa * qa, mixed = 2 * (ma * mb - pa * pb - qa * qb);
  const c1 = mixed - 2 * c0, c2 = c0 + (mb * mb - pb * pb - qb * qb) - mixed;
  const k = [u * c0, 2 * (w - u) * c0, (w - u) * c1 - u * c2 - 3 * w * c0, -2 * w * c1, -w * c2];
  let low = 0, high = 1, at = 0.5;
  for (let turn = 0; turn < 60; turn++) {
    const value = k[0] + at * (k[1] + at * (k[2] + at * (k[3] + at * k[4])));
    const slope = k[1] + at * (2 * k[2] + at * (3 * k[3] + at * 4 * k[4]));
    if (value > 0) low = at; else high = at;
    const move = slope < 0 ? -value / slope : 2;
    if (Math.abs(move) < 1e-9 && low <= at + move && at + move <= high) return at + move;
    at += move;
    if (!(low < at && at < high)) at = 0.5 * (low + high);
    if (high - low < 1e-15) break;
  }
  return at;
}

// Δ = 1 - μ of two ellipses, and ∂μ by x, y, θ_i and θ_j: scaled by μ they just touch.
function contact(x, y, a, b) {
  const at = multiplier(x, y, a, b), rest = 1 - at;
  const [m, p, q] = a.map((value, k) => rest * value + at * b[k]);
  const det = m * m - p * p - q * q;
  const sx = ((m - p) * x - q * y) / det, sy = ((m + p) * y - q * x) / det;
  const mu = Math.sqrt(rest * at * (x * sx + y * sy)), scaled = (rest * at) / (mu + 1e-150);
  const c = sx * sx - sy * sy, s = 2 * sx * sy;
  return [1 - mu, scaled * sx, scaled * sy, scaled * rest * (a[2] * c - a[1] * s), scaled * at * (b[2] * c - b[1] * s)];
}

function shapeOf(long, short, angle) {
  const half = 0.5 * (long - short) * (long + short);
  return [0.5 * (long * long + short * short), half * Math.cos(2 * angle), half * Math.sin(2 * angle)];
}

// U = ½ Σ max(Δ, 0)² of bodies (x, y, θ, one after another) with half axes in a periodic box, its
// gradient, and every contact as [i, j, Δ].
function packingForces(bodies, long, short, [width, height]) {
  const n = long.length, gradient = new Float64Array(3 * n), contacts = [];
  const shapes = long.map((axis, k) => shapeOf(axis, short[k], bodies[3 * k + 2]));
  let energy = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      let x = bodies[3 * j] - bodies[3 * i], y = bodies[3 * j + 1] - bodies[3 * i + 1];
      x -= width * Math.round(x / width);
      y -= height * Math.round(y / height);
      if (x * x + y * y >= (long[i] + long[j]) ** 2) continue;
      const [gap, gx, gy, ti, tj] = contact(x, y, shapes[i], shapes[j]);
      if (!(gap > 0)) continue;
      energy += 0.5 * gap * gap;
      contacts.push([i, j, gap]);
      const push = [gap * gx, gap * gy, -gap * ti, -gap * gx, -gap * gy, -gap * tj];
      for (let k = 0; k < 3; k++) {
        gradient[3 * i + k] += push[k];
        gradient[3 * j + k] += push[3 + k];
      }
    }
  }
  return { energy, gradient, contacts };
}

// Δ_μ = σ - ξ_μ·x/|x|, U = ½ Σ max(Δ_μ, 0)² and its gradient, for x of any dimension.
function perceptronForces(patterns, sigma, x) {
  const length = Math.hypot(...x), along = x.map((value) => value / length);
  const gaps = patterns.map((pattern) => sigma - pattern.reduce((sum, value, k) => sum + value * along[k], 0));
  let energy = 0;
  const gradient = x.map(() => 0);
  gaps.forEach((gap, mu) => {
    if (!(gap > 0)) return;
    energy += 0.5 * gap * gap;
    x.forEach((_, k) => { gradient[k] -= (gap * (patterns[mu][k] - (sigma - gap) * along[k])) / length; });
  });
  return { energy, gradient, gaps };
}

// One step of FIRE: fast while the motion goes downhill, stopped where it goes up.
// Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006).
function fireStep(state, forces, longest = 0.4) {
  const { x, v } = state;
  let power = 0, vv = 0, ff = 0;
  for (let k = 0; k < x.length; k++) {
    power += forces[k] * v[k];
    vv += v[k] * v[k];
    ff += forces[k] * forces[k];
  }
  state.steps = power > 0 ? state.steps + 1 : 0;
  if (power <= 0) { v.fill(0); state.dt *= 0.5; state.mix = 0.1; }
  else if (state.steps > 5) { state.dt = Math.min(longest, 1.1 * state.dt); state.mix *= 0.99; }
  state.dt = Math.max(state.dt, 0.02);
  const turn = power > 0 && ff > 0 ? state.mix * Math.sqrt(vv / ff) : 0, keep = power > 0 ? 1 - state.mix : 1;
  for (let k = 0; k < x.length; k++) {
    v[k] = keep * v[k] + turn * forces[k] + state.dt * forces[k];
    x[k] += state.dt * v[k];
  }
  return Math.sqrt(ff);
}
