"""The floors hold: imports and foreign keys only go down, none hides in a function, and doors write no rows.

Each check is a function of what it reads, so that a planted violation shows that it would be caught.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import dedent
from typing import ClassVar

import pytest
from django.apps import apps
from django.conf import settings
from django.db.migrations import AddField, Migration
from django.db.migrations.loader import MigrationLoader
from django.db.models import CASCADE, Field, ForeignKey, ManyToManyField, Model
from django.test.utils import isolate_apps
from grimp import build_graph
from importlinter.cli import lint_imports

FLOORS = ("memory", "generation", "chat", "config")  # from the ground up
DOORS = re.compile(
    r"(^|/)(consumers|jobs|admin|api|health)\.py$|/(admin|api|views)/\w+\.py$|/management/commands/\w+\.py$"
)
SAVES = {"save", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
QUERYSET_SAVES = {"create", "update", "delete"}  # dictionaries and verbs of ours have these names, too
QUERYSETS = {"objects", "filter", "exclude", "all", "get"}
SQL_WRITES = re.compile(r"\s*(insert|update|delete|truncate|merge)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    path: str
    tree: ast.Module

    @property
    def floor(self) -> int:
        return FLOORS.index(self.path.split("/")[0])


def planted(path: str, code: str) -> list[Source]:
    return [Source(path, ast.parse(dedent(code)))]


@pytest.fixture(scope="module")
def house() -> list[Source]:
    paths = (path for floor in FLOORS for path in sorted((settings.BASE_DIR / floor).rglob("*.py")))
    return [Source(str(path.relative_to(settings.BASE_DIR)), ast.parse(path.read_text())) for path in paths]


# --- modules


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Lines and names of what is imported, also below `if TYPE_CHECKING`. A relative import cannot leave its floor."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""


def imports_upwards(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{line} {name}"
        for source in sources
        for line, name in imports(source.tree)
        if name.split(".")[0] in FLOORS[source.floor + 1 :]
    ]


def hidden_imports(sources: Iterable[Source]) -> list[str]:
    functions = (
        (source.path, node)
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )
    return [f"{path}:{line} {name}" for path, function in functions for line, name in imports(function)]


def test_imports_only_go_down(house: list[Source]) -> None:
    assert imports_upwards(house) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("memory/models/people.py", "from generation.models import Run"),
        ("memory/base/ids.py", "import config.settings"),
        ("generation/runs.py", "if True:\n    import chat.consumers as c"),
        ("generation/recipes/note/recipe.py", "if TYPE_CHECKING:\n    from config import env"),
        ("chat/consumers.py", "def f():\n    from config.asgi import application"),
    ],
)
def test_an_import_that_goes_up_would_be_seen(path: str, code: str) -> None:
    assert len(imports_upwards(planted(path, code))) == 1


def test_an_import_that_goes_down_is_let_be() -> None:
    assert imports_upwards(planted("chat/consumers.py", "from generation import runs\nimport django")) == []


def test_no_import_hides_in_a_function(house: list[Source]) -> None:
    assert hidden_imports(house) == []


def test_an_import_in_a_function_would_be_seen() -> None:
    code = """
        class Run:
            async def end(self):
                if self.state:
                    from generation import runs
    """
    assert hidden_imports(planted("generation/models.py", code)) == ["generation/models.py:5 generation"]


def test_the_contracts_of_the_import_linter_are_kept() -> None:
    assert lint_imports(str(settings.BASE_DIR / "pyproject.toml"), no_cache=True, no_logo=True) == 0


def test_a_broken_contract_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contracts = "[importlinter]\nroot_packages=\n  upstairs\n  cellar\n"
    contracts += "[importlinter:contract:1]\nname=floors\ntype=layers\nlayers=\n  upstairs\n  cellar\n"
    (tmp_path / "contracts.ini").write_text(contracts)
    for name, code in (("upstairs", ""), ("cellar", "import upstairs")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert lint_imports(str(tmp_path / "contracts.ini"), no_cache=True, no_logo=True) == 1


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other, the first again at the end; empty when there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other() -> None:
    graph = build_graph(*FLOORS, cache_dir=None)
    assert circle({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def test_a_circle_would_be_seen() -> None:
    assert set(circle({"runs": {"steps"}, "steps": {"calls"}, "calls": {"runs"}})) == {"runs", "steps", "calls"}


# --- foreign keys


def floor_of(app: str) -> int:
    """What is not ours lies below everything."""
    return FLOORS.index(app) if app in FLOORS else -1


def target_of(field: Field) -> str:
    """The app that a relation points to, as a class or as the text of a migration; empty for other fields."""
    model = field.remote_field.model if field.remote_field else None
    if model is None:
        return ""
    return model.split(".")[0].lower() if isinstance(model, str) else str(model._meta.app_label)


def keys_upwards(models: Iterable[type[Model]]) -> list[str]:
    return [
        f"{model._meta.label}.{field.name}"
        for model in models
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if floor_of(target_of(field)) > floor_of(model._meta.app_label)
    ]


def fields_of(migration: Migration) -> Iterator[tuple[str, Field]]:
    for operation in migration.operations:
        yield from getattr(operation, "fields", [])
        if field := getattr(operation, "field", None):
            yield operation.describe(), field


def migrations_upwards(migrations: Iterable[Migration]) -> list[str]:
    """Keys in migrations and dependencies of migrations that go up."""
    found = []
    for migration in migrations:
        floor = floor_of(migration.app_label)
        found += [f"{migration} {name}" for name, field in fields_of(migration) if floor_of(target_of(field)) > floor]
        found += [f"{migration} after {app}" for app, _ in migration.dependencies if floor_of(app) > floor]
    return found


def test_foreign_keys_only_go_down() -> None:
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in FLOORS]
    assert len(models) > 10
    assert keys_upwards(models) == []


def test_keys_and_dependencies_of_migrations_only_go_down() -> None:
    migrations = MigrationLoader(None).disk_migrations.values()
    ours = [migration for migration in migrations if migration.app_label in FLOORS]
    assert any(list(fields_of(migration)) for migration in ours)
    assert migrations_upwards(ours) == []


@isolate_apps("memory", "generation")
def test_a_foreign_key_that_goes_up_would_be_seen() -> None:
    class Run(Model):
        class Meta:
            app_label = "generation"

    class Change(Model):
        run = ForeignKey(Run, CASCADE)
        runs = ManyToManyField(Run, related_name="+")
        before = ForeignKey("self", CASCADE)

        class Meta:
            app_label = "memory"

    assert keys_upwards([Run, Change]) == ["memory.Change.run", "memory.Change.runs"]


def test_a_migration_that_goes_up_would_be_seen() -> None:
    class Planted(Migration):
        dependencies: ClassVar = [("generation", "0001_initial"), ("auth", "0001_initial")]
        operations: ClassVar = [AddField("token", "run", ForeignKey("generation.Run", CASCADE))]

    seen = migrations_upwards([Planted("0002_planted", "memory")])
    assert seen == ["memory.0002_planted Add field run to token", "memory.0002_planted after generation"]


# --- doors


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_write(node, node.func):
            yield node.lineno, ast.unparse(node.func)


def is_write(call: ast.Call, function: ast.Attribute) -> bool:
    """`save` of anything, `create`, `update` and `delete` of a query set or a manager, SQL that begins like a write."""
    name = function.attr.removeprefix("a")  # asave, aupdate
    if name in SAVES:
        return True
    if name in QUERYSET_SAVES:
        chain = {node.attr for node in ast.walk(function.value) if isinstance(node, ast.Attribute)}
        return bool(chain & QUERYSETS)
    first = call.args[0] if call.args else None
    is_sql = name in {"execute", "executemany"} and isinstance(first, ast.Constant)
    return is_sql and SQL_WRITES.match(str(first.value)) is not None  # type: ignore[union-attr]


def writing_doors(sources: Iterable[Source]) -> list[str]:
    doors = (source for source in sources if DOORS.search(source.path))
    return [f"{door.path}:{line} {name}" for door in doors for line, name in writes(door.tree)]


def test_doors_write_no_rows(house: list[Source]) -> None:
    assert {
        "chat/consumers.py",
        "generation/api/runs.py",
        "memory/views/people.py",
        "config/management/commands/prepare.py",
    } <= {source.path for source in house if DOORS.search(source.path)}
    assert writing_doors(house) == []


@pytest.mark.parametrize(
    "code",
    [
        "run.save(update_fields=['title'])",
        "await run.asave()",
        "Run.objects.create(user=user)",
        "Run.objects.filter(id=id).update(title='')",
        "user.tokens.all().delete()",
        "Agent.objects.get_or_create(name='a')",
        "sql.execute('UPDATE generation_run SET title = NULL')",
    ],
)
@pytest.mark.parametrize(
    "path", ["generation/api/documents.py", "memory/management/commands/tidy.py", "chat/consumers.py"]
)
def test_a_write_in_a_door_would_be_seen(path: str, code: str) -> None:
    assert len(writing_doors(planted(path, f"async def door(request):\n    {code}"))) == 1


def test_a_door_may_read_and_call_verbs() -> None:
    code = """
        facts.update(state="done")
        runs.cancel(run, by=user)
        tokens.delete(token)
        Run.objects.filter(id=id).first()
        sql.execute("SELECT pg_advisory_lock(1)")
    """
    assert writing_doors(planted("generation/api/runs.py", code)) == []
