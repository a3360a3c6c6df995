"""Every error that the two halves raise says what was expected, what was got, and what to do."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "particles").rglob("*.py"), *(ROOT / "networks/data").rglob("*.py")])
REFUSALS = {"ValueError", "TypeError", "OSError", "ModuleNotFoundError"}
# A refusal without a remedy, or a text that is passed on with more said behind it.
GOOD = re.compile(r"expected .+, got:? .+: [^:]*[^:. ]|\{error\}.*")


class Texts:
    """The texts of one file, with ``{}`` for what is known only when it runs."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.named: dict[str, ast.expr] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.named[node.targets[0].id] = node.value
            if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
                self.named[f"{node.name}()"] = node.body[-1].value

    def of(self, node: ast.expr | None) -> str:
        """Return the text that an expression is."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(map(self.of, node.values))
        if isinstance(node, ast.BinOp):
            return self.of(node.left) + self.of(node.right)
        if isinstance(node, ast.FormattedValue):
            if ast.unparse(node.value) == "error":
                return "{error}"
            return self.of(node.value) if isinstance(node.value, ast.Name) else "{}"
        name = node.id if isinstance(node, ast.Name) else ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = f"{node.func.id}()"
        value = self.named.get(name)
        return self.of(value) if isinstance(value, ast.JoinedStr) else "{}"

    def refusals(self) -> list[tuple[int, str]]:
        """Return line and text of every error that is raised."""
        return [
            (node.lineno, self.of(node.exc.args[0] if node.exc.args else None))
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and getattr(node.exc.func, "id", "") in REFUSALS
        ]


def test_errors_name_a_remedy():
    found = {path: Texts(path.read_text(encoding="utf-8")).refusals() for path in FILES}
    assert sum(map(len, found.values())) > 60
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, texts in found.items()
        for line, text in texts
        if not GOOD.fullmatch(text)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ('raise ValueError(f"expected a, got {b}: do c")', True),
        ('raise ValueError(f"expected a file, got: {b}: check" " it")', True),
        ('wanted = f"expected {a}"\nraise ValueError(f"{wanted}, got {b}: do c")', True),
        ('def f(b):\n    return f"expected a, got {b}"\nraise ValueError(f(1) + ": do c")', True),
        ('raise ValueError(f"expected a, got {b}")', False),
        ('raise ValueError(f"expected a file, got: {b}")', False),
        ('raise TypeError("bad")', False),
        ("raise OSError", None),
        ("raise OSError()", False),
    ],
)
def test_the_sweep_sees_what_is_missing(source, good):
    verdicts = [bool(GOOD.fullmatch(text)) for _, text in Texts(source).refusals()]
    assert verdicts == ([] if good is None else [good])
