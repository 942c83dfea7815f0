import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0003_narrow_claim"),
        ("memory", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Drawing",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=20)),
                ("code", models.TextField()),
                ("svg", models.TextField(blank=True)),
                ("error", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drawings", to="memory.workspace"
                    ),
                ),
            ],
        ),
    ]
