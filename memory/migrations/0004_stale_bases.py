from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('memory', '0003_history'),
    ]

    operations = [
        migrations.AddField(
            model_name='basis',
            name='is_stale',
            field=models.BooleanField(default=False),
        ),
    ]
