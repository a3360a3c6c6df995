"""The lessons of the course as notebooks: ``python docs/notebooks.py FOLDER``; `make course`.

A lesson is a script whose cells begin with ``# %%``. Solutions lie folded, apart from the rest;
sizes stand in a cell with the tag ``parameters``, as papermill has it.
"""

import json
import re
import sys
from pathlib import Path

COURSE = Path(__file__).parent.parent / "examples" / "course"
_CELL = re.compile(r"^# %%(?P<markdown> \[markdown\])?(?P<options>.*)\n", re.MULTILINE)
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(script: str) -> dict[str, object]:
    """Return a script of cells as the document of a notebook, in the format 4.5 of Jupyter."""
    heads = list(_CELL.finditer(script))
    ends = [head.start() for head in heads[1:]] + [len(script)]
    cells = [
        _cell(number, head, script[head.end() : end].strip("\n"))
        for number, (head, end) in enumerate(zip(heads, ends, strict=True))
    ]
    language = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}


def _cell(number: int, head: re.Match[str], text: str) -> dict[str, object]:
    if head["markdown"]:
        text = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
    tags = re.findall('"(.+?)"', head["options"])
    metadata: dict[str, object] = {"tags": tags} if tags else {}
    if "hide-cell" in tags:  # Jupyter shows a folded cell as a bar to open
        metadata["jupyter"] = {"source_hidden": True}
    source = text.splitlines(keepends=True)
    found = {"id": f"cell-{number}", "metadata": metadata, "source": source}
    if head["markdown"]:
        return {"cell_type": "markdown", **found}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **found}


def write(folder: Path) -> list[Path]:
    """Write every lesson that is not in the folder yet, so that no work of a reader is lost."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in sorted(COURSE.glob("[0-9]*.py")):
        path = folder / f"{lesson.stem}.ipynb"
        if not path.exists():
            document = notebook(lesson.read_text(encoding="utf-8"))
            path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
            written.append(path)
    return written


if __name__ == "__main__":
    write(Path(sys.argv[1]))
