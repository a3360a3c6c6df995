"""``python -m bridge`` is the command line, where the command ``jamscape`` is not on the path."""

from bridge.cli.main import main

if __name__ == "__main__":
    main()
