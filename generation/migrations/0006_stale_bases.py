import hashlib

import orjson
from django.db import migrations

from memory.base import paths


def mark(apps, schema_editor):
    """What rested on something that changed before changes were marked."""
    Basis = apps.get_model('memory', 'Basis')
    sources = {'document': apps.get_model('generation', 'Document'), 'section': apps.get_model('generation', 'Section')}
    for basis in Basis.objects.filter(source_type__in=sources).iterator():
        source = sources[basis.source_type].objects.filter(pk=basis.source_id).first()
        if source is None:
            continue
        state = {**source.fields, **({'title': source.title} if basis.source_type == 'document' else {})}
        value = paths.get(state, basis.source_path) if basis.source_path else source.fields
        digest = hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
        if digest != basis.digest:
            Basis.objects.filter(pk=basis.pk).update(is_stale=True)


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0005_documents'),
        ('memory', '0004_stale_bases'),
    ]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop, elidable=True),
    ]
