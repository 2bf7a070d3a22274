from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lending", "0001_initial")]

    operations = [
        migrations.RenameField(model_name="loan", old_name="due", new_name="due_on"),
        migrations.AddField(
            model_name="loan",
            name="reminders",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
