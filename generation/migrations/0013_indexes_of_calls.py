"""Built beside the calls that go on: the table is the largest."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('generation', '0012_experiments'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='call',
            index=models.Index(condition=models.Q(('assignment__isnull', False)), fields=['assignment'], name='call_exposed'),
        ),
        AddIndexConcurrently(
            model_name='call',
            index=models.Index(condition=models.Q(('chain_assignment__isnull', False)), fields=['chain_assignment'], name='call_chain_exposed'),
        ),
        AddIndexConcurrently(
            model_name='call',
            index=models.Index(fields=['prompt_version', 'created_at'], name='call_of_version'),
        ),
    ]
