"""A landscape in one SQLite file: every point in full precision, every search.

Each search is one transaction, so that a killed process loses no more than the search that it was
in. Opening the file again restores the graph, and the searches go on from there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.landscape.graph import Catalogue, Finding, Graph, Search
from bridge.landscape.identity import Identity
from bridge.landscape.stationary_points import StationaryPoint
from bridge.records.database import Database, from_npy, to_npy, whole

SCHEMA = 2  # 2: data are known by their content, and lengths of steps are parameters
_KINDS = ("minimum", "saddle", "higher")
TABLES = {
    "about": "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "points": """CREATE TABLE points (
        kind TEXT NOT NULL, number INTEGER NOT NULL, energy REAL NOT NULL,
        point_index INTEGER NOT NULL, log_det REAL NOT NULL, n_modes INTEGER NOT NULL,
        lowest REAL NOT NULL, residual REAL NOT NULL, stabiliser INTEGER NOT NULL, first INTEGER,
        second INTEGER, observables TEXT NOT NULL, x BLOB NOT NULL, PRIMARY KEY (kind, number))
    """,
    "searches": """CREATE TABLE searches (
        row INTEGER PRIMARY KEY, stage TEXT NOT NULL, number INTEGER NOT NULL,
        start INTEGER NOT NULL, status TEXT NOT NULL, saddle INTEGER, minima TEXT NOT NULL,
        steps INTEGER NOT NULL, n_minima INTEGER NOT NULL, n_saddles INTEGER NOT NULL)
    """,
}

Json = Any  # what the json module reads and writes


class LandscapeStore(Database):
    """A file with one landscape, and its graph.

    Raises
    ------
    ValueError
        If the file cannot be opened, is in use, or holds something else.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        probe = "SELECT count(*) FROM searches"
        super().__init__(path, TABLES, probe, "landscape", read_only=read_only)
        self.check_schema(SCHEMA, lambda: self.about().get("schema", SCHEMA))

    def about(self) -> dict[str, Json]:
        """Return what the file says of itself: system, parameters, seed, provenance."""
        rows = self.query("SELECT name, value FROM about")
        with whole(self.path):
            return {name: json.loads(value) for name, value in rows}

    def describe(self, **values: Json) -> None:
        """Write what the file says of itself."""
        rows = [(name, json.dumps(value)) for name, value in values.items()]
        with self.transaction("what the file holds") as connection:
            connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def claim(self, **identity: Json) -> None:
        """Make the file that of one run, or check that it is.

        Raises
        ------
        ValueError
            If it holds another system, other parameters or another seed.
        """
        found = self.about()
        expected = json.loads(json.dumps({"schema": SCHEMA, **identity}))
        if not found:
            self.describe(**expected)
            return
        for name, value in expected.items():
            if found.get(name) != value:
                raise ValueError(
                    f"expected {self.path} to hold {name} {value}, got {found.get(name)}: "
                    "name another file"
                )

    def load(self, identity: Identity) -> Graph:
        """Restore the graph, with how often each point was met.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        with whole(self.path):
            return self._graph(identity)

    def _graph(self, identity: Identity) -> Graph:
        graph = Graph(identity)
        catalogues = dict(zip(_KINDS, (graph.minima, graph.saddles, graph.higher), strict=True))
        for kind, catalogue in catalogues.items():
            for row in self._points(kind):
                catalogue.append(_point(row))
                if kind == "saddle":
                    graph.ends.append((int(row[8]), int(row[9])))
        for row in self.query("SELECT * FROM searches ORDER BY row"):
            _, stage, number, start, status, saddle, minima, steps, *known = row
            met = tuple(json.loads(minima))
            graph.replay(Search(stage, number, start, status, saddle, met, steps), *known)
        return graph

    def keep(self, graph: Graph, finding: Finding) -> Search:
        """Absorb a finding into the graph and write what is new, in one transaction."""
        catalogues = dict(zip(_KINDS, (graph.minima, graph.saddles, graph.higher), strict=True))
        before = {kind: len(catalogue) for kind, catalogue in catalogues.items()}
        search = graph.absorb(finding)
        row = (
            *(search.stage, search.number, search.start, search.status, search.saddle),
            *(json.dumps(search.minima), search.steps, len(graph.minima), len(graph.saddles)),
        )
        with self.transaction(f"{search.stage} {search.number}") as connection:
            for kind, catalogue in catalogues.items():
                rows = _rows(kind, catalogue, before[kind], graph.ends)
                marks = ", ".join("?" * 13)
                connection.executemany(f"INSERT INTO points VALUES ({marks})", rows)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO searches VALUES (NULL, {marks})", row)
        return search

    def observe(self, values: Mapping[int, Mapping[str, float]]) -> None:
        """Write the observables of minima, by their numbers."""
        rows = [(json.dumps(dict(found)), number) for number, found in values.items()]
        query = "UPDATE points SET observables = ? WHERE kind = 'minimum' AND number = ?"
        with self.transaction("the observables of minima") as connection:
            connection.executemany(query, rows)

    def observables(self) -> list[dict[str, float]]:
        """Return the observables of each minimum."""
        query = "SELECT observables FROM points WHERE kind = 'minimum' ORDER BY number"
        found = self.query(query)
        with whole(self.path):
            rows = [dict(json.loads(text)) for (text,) in found]
            return [{name: float(value) for name, value in row.items()} for row in rows]

    def _points(self, kind: str) -> list[tuple[Any, ...]]:
        query = (
            "SELECT energy, point_index, log_det, n_modes, lowest, residual, stabiliser, x, "
            "first, second FROM points WHERE kind = ? ORDER BY number"
        )
        return self.query(query, (kind,))


def _rows(
    kind: str, catalogue: Catalogue, first: int, ends: list[tuple[int, int]]
) -> list[tuple[Any, ...]]:
    """Return the rows of the points of a catalogue from ``first`` on."""
    return [
        (
            *(kind, number, p.energy, p.index, p.log_det, p.n_modes, p.lowest, p.residual),
            *(p.order, *(ends[number] if kind == "saddle" else (None, None)), "{}"),
            to_npy(p.x),
        )
        for number, p in enumerate(catalogue.points[first:], start=first)
    ]


def _point(row: tuple[Any, ...]) -> StationaryPoint:
    index, n_modes, order = (int(row[place]) for place in (1, 3, 6))
    energy, log_det, lowest, residual = (float(row[place]) for place in (0, 2, 4, 5))
    state = from_npy(row[7])
    return StationaryPoint(state, energy, index, log_det, n_modes, lowest, residual, order)
