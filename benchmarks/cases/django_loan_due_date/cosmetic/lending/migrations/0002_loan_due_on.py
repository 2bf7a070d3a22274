from django.db import migrations, models


def fill_due_on(apps, schema_editor):
    """Give every loan a date, so that the field can be required in the next release."""
    loan = apps.get_model("lending", "Loan")
    loan.objects.filter(due_on__isnull=True).update(due_on="2024-12-31")


class Migration(migrations.Migration):
    dependencies = [("lending", "0001_initial")]

    operations = [
        migrations.AddField(model_name="loan", name="due_on", field=models.DateField(null=True)),
        migrations.RunPython(fill_due_on, migrations.RunPython.noop),
        migrations.RemoveField(model_name="loan", name="due"),
        migrations.AddField(
            model_name="loan",
            name="reminders",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
