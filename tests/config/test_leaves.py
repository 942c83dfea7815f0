"""Two packages could leave this house unchanged: the models' door and the demo model."""

import grimp
import pytest

ALLOWED = {"generation.llm": {"memory.base.errors"}, "generation.demo": set()}
GRAPH = grimp.build_graph("config", "chat", "generation", "memory", cache_dir=None)


@pytest.mark.parametrize("leaf", ALLOWED)
def test_a_leaf_imports_nothing_else_of_ours(leaf: str) -> None:
    own = {leaf, *GRAPH.find_descendants(leaf)}
    imported = set().union(*map(GRAPH.find_modules_directly_imported_by, own))
    assert imported - own <= ALLOWED[leaf]
