"""What was made from what: a thing is stale when what it was made from does not stand as it did.

Undoing the change makes it fresh again: what counts is the value, not how often it was touched. Each basis is marked as
its source changes (`memory.history.resting`), so that lists can be filtered by it.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from memory.history import digest
from memory.history.resting import has_changed
from memory.models import Basis, Editable

Source = tuple[Editable, str, object]  # an object, a path in it ("" is all of its fields), and what was read there


def rest(obj: Editable, sources: Iterable[Source], path: str = "") -> None:
    """From now on `obj` (or the value at this path of it) rests on these sources as they were read, no others."""
    read = list(sources)
    with transaction.atomic():
        now = as_they_stand(source for source, _, _ in read)  # first: who changes one has its row, and then its bases
        Basis.objects.filter(object_id=obj.pk, path=path).delete()
        bases = [
            Basis(
                root_id=obj.root_id,
                object_id=obj.pk,
                path=path,
                source_type=source.OBJECT,
                source_id=source.pk,
                source_path=source_path,
                digest=digest(value),
            )
            for source, source_path, value in read
        ]
        for basis in bases:
            basis.is_stale = basis.source_id in now and has_changed(basis, now[basis.source_id])
        Basis.objects.bulk_create(bases)


def as_they_stand(sources: Iterable[Editable]) -> dict[UUID, Editable]:
    """The same objects now; who changes one of them waits, and then finds what rests on it."""
    ids: defaultdict[type[Editable], set[UUID]] = defaultdict(set)
    for source in sources:
        ids[type(source)].add(source.pk)
    return {
        obj.pk: obj
        for kind, wanted in ids.items()
        for obj in kind.whole().filter(pk__in=wanted).order_by("pk").select_for_update(of=("self",), no_key=True)
    }


def stale(*roots: UUID) -> dict[UUID, list[Basis]]:
    """Which objects of these roots rest on something that changed since, and on what."""
    found: defaultdict[UUID, list[Basis]] = defaultdict(list)
    for basis in Basis.objects.filter(root_id__in=roots, is_stale=True):
        found[basis.object_id].append(basis)
    return dict(found)
