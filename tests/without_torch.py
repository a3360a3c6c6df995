"""The command line as it is where torch is not installed: run as a script with its arguments."""

import sys
from importlib import metadata
from importlib.abc import MetaPathFinder


class WithoutTorch(MetaPathFinder):
    """Answers that there is no torch, before any other finder is asked."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")


def hide_torch():
    """Let every import of torch fail, and its distribution be unknown."""

    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return known(name)

    known = metadata.version
    metadata.version = version
    sys.meta_path.insert(0, WithoutTorch())


hide_torch()  # of processes that are started from this one too, which import it

if __name__ == "__main__":
    from bridge.cli.main import main

    main()
