// Spectra of H, of its stiffness and of its prestress: counts on an axis even in arsinh λ.

const SPECTRA = [["eigenvalues_h0", "h0", "H₀"], ["eigenvalues_hp", "hp", "Hₚ"], ["eigenvalues", "h", "H"]];
const LINEAR = 1e-3; // width of the linear part of the axis, as in bridge/figures.py
const [STEPS_TOP, STEPS_BASE] = [16, 112];
const EIGENVALUE_TICKS = [[-1, "−1"], [-1e-2, "−10⁻²"], [0, "0"], [1e-2, "10⁻²"], [1, "1"], [100, "100"]];

class SpectrumPanel {
  constructor(figure, column) {
    const { system } = column, edge = system.scales.spectrum;
    const picture = canvas(figure, 142, `${system.name}: eigenvalues of the Hessian and its two parts`);
    const at = (value) => scale(-edge, edge, 4, WIDTH - 4)(Math.asinh(value / LINEAR));
    const ticks = EIGENVALUE_TICKS.filter(([value]) => Math.abs(Math.asinh(value / LINEAR)) < 0.97 * edge);
    axisBelow(picture, at, ticks, STEPS_BASE);
    shape(picture, "path", { class: "guide", d: `M${at(0)} ${STEPS_TOP}V${STEPS_BASE}` });
    shape(picture, "text", { class: "end", x: WIDTH, y: STEPS_BASE + 27 }, "eigenvalue λ / ⟨λ⟩ of H₀");
    this.lines = SPECTRA.map(([, name]) => shape(picture, "path", { class: name }));
    this.keys = SPECTRA.map(([, name], k) => shape(picture, "text", { class: `key-${name}`, x: 22 * k, y: 10 }));
    this.words = shape(picture, "text", { class: "middle", x: WIDTH / 2, y: STEPS_TOP - 6 });
    this.reading = element("p", { class: "reading" });
    figure.append(this.reading);
    const counts = system.frames.flatMap(({ spectrum }) => (spectrum ? Object.values(spectrum).flat() : []));
    this.most = Math.max(2, ...counts);
  }

  steps(counts) {
    const bin = (WIDTH - 8) / counts.length;
    const y = (count) => STEPS_BASE - (Math.log(1 + count) / Math.log(1 + this.most)) * (STEPS_BASE - STEPS_TOP);
    const path = counts.map((count, k) => `V${y(count).toFixed(1)}H${(4 + bin * (k + 1)).toFixed(1)}`);
    return `M4 ${STEPS_BASE}${path.join("")}V${STEPS_BASE}`;
  }

  show({ spectrum }, run) {
    SPECTRA.forEach(([name, , text], k) => {
      setPath(this.lines[k], spectrum ? this.steps(spectrum[name]) : "");
      this.keys[k].textContent = spectrum ? text : "";
    });
    const reasons = { unjammed: "U = 0: nothing pushes, and H vanishes", jammed: "not computed" };
    this.words.textContent = spectrum ? "" : reasons[run.status] ?? `${run.status}: not a minimum`;
    this.reading.replaceChildren(...(spectrum ? this.verdict(spectrum, run) : []));
  }

  verdict({ eigenvalues }, run) {
    const below = eigenvalues.slice(0, eigenvalues.length / 2).reduce((sum, count) => sum + count, 0);
    const kinks = below ? `; N₋(H) = ${below}, which only kinks can hold` : "";
    return [`N₋(Hₚ) = ${run.negative_modes_hp} ≤ `, countSymbol(` = ${run.n_constraints}${kinks}`)];
  }
}
