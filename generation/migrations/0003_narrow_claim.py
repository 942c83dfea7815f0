from django.db import migrations


class Migration(migrations.Migration):
    """A claim changes every tick: room on its page makes that a HOT update, and small tables are vacuumed often."""

    dependencies = [("generation", "0002_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE generation_claim SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02)",
            "ALTER TABLE generation_claim RESET (fillfactor, autovacuum_vacuum_scale_factor)",
        )
    ]
