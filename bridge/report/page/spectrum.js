// Spectra of H, of its stiffness and of its prestress: counts on an axis even in arsinh λ.

const SPECTRA = [["eigenvalues_h0", "h0", "H₀"], ["eigenvalues_hp", "hp", "Hₚ"], ["eigenvalues", "h", "H"]];
const LINEAR = 1e-3; // width of the linear part of the axis

function spectrumPanel(figure, column) {
  const { system } = column, edge = system.scales.spectrum;
  const [top, base] = [16, 112];
  const x = scale(-edge, edge, 4, WIDTH - 4);
  const at = (value) => x(Math.asinh(value / LINEAR));
  const picture = canvas(figure, 142, `${system.name}: eigenvalues of the Hessian and its two parts`);
  const ticks = [[-1, "−1"], [-1e-2, "−10⁻²"], [0, "0"], [1e-2, "10⁻²"], [1, "1"], [100, "100"]];
  axisBelow(picture, at, ticks.filter(([value]) => Math.abs(Math.asinh(value / LINEAR)) < 0.97 * edge), base);
  shape(picture, "path", { class: "guide", d: `M${at(0)} ${top}V${base}` });
  shape(picture, "text", { class: "end", x: WIDTH, y: base + 27 }, "eigenvalue λ / ⟨λ⟩ of H₀");
  const lines = SPECTRA.map(([, name]) => shape(picture, "path", { class: name }));
  const keys = SPECTRA.map(([, name, text], k) => shape(picture, "text", { class: `key-${name}`, x: 22 * k, y: 10 }, text));
  const words = shape(picture, "text", { class: "middle", x: WIDTH / 2, y: (top + base) / 2 });
  const known = system.frames.filter((frame) => frame.spectrum);
  const most = Math.max(2, ...known.flatMap((frame) => SPECTRA.flatMap(([name]) => frame.spectrum[name])));
  const y = (count) => base - (Math.log(1 + count) / Math.log(1 + most)) * (base - top);
  const reading = element("p", { class: "reading" });
  figure.append(reading);

  function steps(counts) {
    const bin = (WIDTH - 8) / counts.length;
    let path = `M4 ${base}`;
    counts.forEach((count, k) => { path += `V${y(count).toFixed(1)}H${(4 + bin * (k + 1)).toFixed(1)}`; });
    return path + `V${base}`;
  }

  return {
    show(frame, run) {
      const there = frame.spectrum !== null;
      SPECTRA.forEach(([name], k) => {
        lines[k].setAttribute("d", there ? steps(frame.spectrum[name]) : nothing);
        keys[k].textContent = there ? SPECTRA[k][2] : "";
      });
      words.textContent = there ? "" : (run.status === "unjammed" ? "U = 0: nothing pushes, H vanishes" : run.status === "jammed" ? "not computed" : `${run.status}: not a minimum`);
      reading.replaceChildren(...(there ? [`N₋(Hₚ) = ${run.negative_modes_hp} ≤ `, countSymbol(` = ${run.n_constraints}`)] : []));
    },
  };
}
