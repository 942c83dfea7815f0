"""What was made from what: a thing is stale when what it was made from does not stand as it did.

Undoing the change makes it fresh again: what counts is the value, not how often it was touched.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from memory.base import paths
from memory.history import digest
from memory.models import Basis, Editable

Source = tuple[Editable, str, object]  # an object, a path in it ("" is all of its fields), and what was read there


def rest(obj: Editable, sources: Iterable[Source], path: str = "") -> None:
    """From now on `obj` (or the value at this path of it) rests on these sources as they were read, no others."""
    Basis.objects.filter(object_id=obj.pk, path=path).delete()
    Basis.objects.bulk_create(
        Basis(
            root_id=obj.root_id,
            object_id=obj.pk,
            path=path,
            source_type=source.OBJECT,
            source_id=source.pk,
            source_path=source_path,
            digest=digest(read),
        )
        for source, source_path, read in sources
    )


def value_at(source: Editable, path: str) -> object:
    return paths.get(source.state(), path) if path else source.fields


def stale(root_id: UUID, objects: Mapping[UUID, Editable]) -> dict[UUID, list[Basis]]:
    """Which objects of this root rest on something that changed since, and on what.

    `objects` are the root's own, already read; sources elsewhere are read here, a query for each type.
    """
    found: defaultdict[UUID, list[Basis]] = defaultdict(list)
    for basis in gone([root_id], objects):
        found[basis.object_id].append(basis)
    return dict(found)


def gone(roots: Iterable[UUID], known: Mapping[UUID, Editable]) -> list[Basis]:
    """The bases of these roots that do not stand as they did; what is not `known` is read, a query for each type."""
    bases = list(Basis.objects.filter(root_id__in=roots))
    sources = dict(known) | elsewhere(basis for basis in bases if basis.source_id not in known)
    return [basis for basis in bases if has_changed(basis, sources.get(basis.source_id))]


def has_changed(basis: Basis, source: Editable | None) -> bool:
    return source is not None and digest(value_at(source, basis.source_path)) != basis.digest


def elsewhere(bases: Iterable[Basis]) -> dict[UUID, Editable]:
    ids: defaultdict[str, set[UUID]] = defaultdict(set)
    for basis in bases:
        ids[basis.source_type].add(basis.source_id)
    return {
        obj.pk: obj
        for source_type, wanted in ids.items()
        for obj in Editable.types[source_type].whole().filter(pk__in=wanted)
    }
