from django.db import migrations, models

# What waits is told by its run's claim: a message is open or not.
WRITING = "UPDATE chat_message SET state = 'writing' WHERE state = 'waiting'"


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [
        migrations.RunSQL(WRITING, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[("writing", "writing"), ("done", "done"), ("stopped", "stopped"), ("failed", "failed")],
                default="done",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "active"),
                    ("dormant", "dormant"),
                    ("archived", "archived"),
                    ("deleted", "deleted"),
                ],
                default="active",
                max_length=10,
            ),
        ),
    ]
