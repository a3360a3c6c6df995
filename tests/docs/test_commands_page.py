"""The page of the command line has every command, with its options and what it is called with."""

import re
import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from bridge.cli.main import commands
from bridge.cli.options import Shared
from bridge.runs.registry import kinds
from bridge.systems.ranges import options_of

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "commands.py"))
CALLED = dict(SCRIPT["leaves"](SCRIPT["tree"]()))


@pytest.fixture(scope="module")
def sections():
    """What stands under each head of the page."""
    parts = re.split(r"^#+ (.+)\n", SCRIPT["page"](), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section_with_its_help_and_an_example(sections):
    assert set(commands()) <= set(sections)
    assert {("doctor",), ("landscape", "show"), ("jam", "network")} <= set(CALLED)
    for path, command in CALLED.items():
        section = sections[" ".join(path)]
        assert " ".join(command.help.split()) in section
        assert re.search(rf"^jamscape {' '.join(path)}", section, re.MULTILINE), path


def test_every_field_of_a_run_and_of_a_system_is_an_option_with_its_default(sections):
    for kind in kinds().values():
        systems = kind.takes().values()
        for system in systems or (None,):
            own = f"{kind.command} {system.kind}" if system else kind.command
            shown = sections[own] + (sections[kind.command] if system else "")
            options = [*options_of(kind), *options_of(system)] if system else options_of(kind)
            for item in (*options, *fields(Shared)):
                name = item.name.replace("as_json", "json").replace("_", "-")
                rows = re.findall(rf"^\| `(?:--)?{name}[ `](.*)$", shown, re.MULTILINE)
                assert len(rows) == 1, f"{own} {name}"
                if isinstance(item.default, float | int) and item.default is not False:
                    assert f"| {item.default}" in rows[0], f"{own} {name}"


def test_options_of_show_are_its_own(sections):
    assert "--temperature" in sections["landscape show"]
    assert "--searches" not in sections["landscape show"]
    assert "--temperature" not in sections["landscape"]


@pytest.mark.parametrize("path", CALLED, ids=" ".join)
def test_what_the_pages_show_of_a_command_can_be_called(path):
    """Its words are options that there are, with values of their kind; nothing is run."""
    for line in SCRIPT["examples_of"](path, CALLED[path]):
        words = SCRIPT["words_of"](line)[len(path) :]
        context = CALLED[path].make_context(" ".join(path), words)
        assert not context.args, line


def test_every_line_of_the_pages_calls_a_command():
    lines = SCRIPT["examples"]()
    assert len(lines) > 40
    for line in lines:
        assert any(tuple(SCRIPT["words_of"](line)[: len(path)]) == path for path in CALLED), line
