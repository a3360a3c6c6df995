"""The forces that run in the page are those of the program: the script is run by node."""

import json
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from particles import Discs, Ellipses, Perceptron

NODE = shutil.which("node")
SCRIPT = """
const fs = require("fs");
const [script, given] = process.argv.slice(1);
const text = fs.readFileSync(script, "utf8") + "; return { packingForces, perceptronForces };";
const forces = new Function(text)(), cases = JSON.parse(fs.readFileSync(given, "utf8"));
const found = cases.map(([name, ...values]) => forces[name](...values));
console.log(JSON.stringify(found, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value)));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="no node to run the script of the page")


def by_the_page(cases, folder):
    """Return what the script makes of each case: the name of a function and its arguments."""
    given = folder / "cases.json"
    given.write_text(json.dumps(cases))
    script = files("bridge.report").joinpath("page", "forces.js")
    command = [NODE, "-e", SCRIPT, str(script), str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def packings():
    """Yield packings of every kind that the page has, with random states, and their half axes."""
    for seed, aspect in enumerate((1.0, 1.05, 1.5, 2.5)):
        rng = np.random.default_rng(seed)
        packing = Ellipses.bidisperse(40, 0.9, aspect=aspect)
        yield packing, packing.random_state(rng), packing.bounding_radii, packing.diameters / 2


def test_forces_between_ellipses_are_those_of_the_program(tmp_path):
    made = list(packings())
    cases = [
        ("packingForces", x.tolist(), long.tolist(), short.tolist(), packing.box.tolist())
        for packing, x, long, short in made
    ]
    for found, (packing, x, *_) in zip(by_the_page(cases, tmp_path), made, strict=True):
        energy, gradient = packing.energy_gradient(x)
        assert energy > 0.01
        assert found["energy"] == pytest.approx(energy, rel=1e-10)
        np.testing.assert_allclose(found["gradient"], gradient, atol=1e-10)
        gaps = packing.gaps(x)
        shown = [gap for _, _, gap in found["contacts"]]
        np.testing.assert_allclose(sorted(shown), np.sort(gaps[gaps > 0]), atol=1e-10)


def test_forces_between_discs_are_those_of_the_program(tmp_path):
    discs = Discs.bidisperse(50, 0.9)
    x = discs.random_state(np.random.default_rng(5))
    turned = np.column_stack([discs.bodies(x), np.arange(50.0)])
    radii = discs.bounding_radii.tolist()
    case = ("packingForces", turned.ravel().tolist(), radii, radii, discs.box.tolist())
    (found,) = by_the_page([case], tmp_path)
    energy, gradient = discs.energy_gradient(x)
    shown = np.reshape(found["gradient"], (50, 3))
    assert found["energy"] == pytest.approx(energy, rel=1e-10)
    np.testing.assert_allclose(shown[:, :2].ravel(), gradient, atol=1e-10)
    np.testing.assert_allclose(shown[:, 2], 0.0, atol=1e-10)


def test_forces_of_patterns_are_those_of_the_program(tmp_path):
    rng = np.random.default_rng(3)
    problems = [Perceptron(rng.normal(size=(9, 2)), sigma) for sigma in (-1.0, -0.2, 0.0, 0.7)]
    states = [rng.normal(size=2) for _ in problems]
    cases = [
        ("perceptronForces", problem.patterns.tolist(), problem.sigma, x.tolist())
        for problem, x in zip(problems, states, strict=True)
    ]
    for found, problem, x in zip(by_the_page(cases, tmp_path), problems, states, strict=True):
        energy, gradient = problem.energy_gradient(x)
        assert found["energy"] == pytest.approx(energy, rel=1e-10)
        np.testing.assert_allclose(found["gradient"], gradient, atol=1e-10)
        np.testing.assert_allclose(found["gaps"], problem.gaps(x), atol=1e-10)
