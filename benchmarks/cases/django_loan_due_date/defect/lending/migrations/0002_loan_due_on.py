from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lending", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="loan", name="due"),
        migrations.AddField(
            model_name="loan",
            name="due_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="loan",
            name="reminders",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
