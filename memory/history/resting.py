"""What rests on an object is marked in the very transaction in which it changes, or comes back to what it was."""

from memory.base import paths
from memory.history.ground import digest
from memory.models import Basis, Editable


def mark(source: Editable) -> None:
    """Of all that was made from it: whether it stands as it did then. Its row is written already, so that whoever comes
    to rest on it meanwhile either is seen here or sees what it is now."""
    bases = list(Basis.objects.filter(source_id=source.pk))
    turned = [basis for basis in bases if has_changed(basis, source) != basis.is_stale]
    for is_stale in (True, False):
        ids = [basis.pk for basis in turned if basis.is_stale != is_stale]
        if ids:
            Basis.objects.filter(pk__in=ids).update(is_stale=is_stale)


def has_changed(basis: Basis, source: Editable) -> bool:
    return digest(value_at(source, basis.source_path)) != basis.digest


def value_at(source: Editable, path: str) -> object:
    return paths.get(source.state(), path) if path else source.fields
