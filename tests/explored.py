"""A landscape as far as a number of quenches and climbs explore it."""

from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Graph
from bridge.landscape.identity import identity_of


def explore(problem, quenches, climbs, seed=0):
    explorer = Explorer(problem, identity_of(problem), problem.random_state, seed=seed)
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(quenches)):
        graph.absorb(finding)
    for finding in explorer.climbs(graph, range(climbs)):
        graph.absorb(finding)
    return explorer, graph
