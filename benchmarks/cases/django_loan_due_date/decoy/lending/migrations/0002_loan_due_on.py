from django.db import migrations, models


def carry_over(apps, schema_editor):
    loan = apps.get_model("lending", "Loan")
    loan.objects.all().update(due_on=models.F("due"))


class Migration(migrations.Migration):
    dependencies = [("lending", "0001_initial")]

    operations = [
        migrations.AddField(model_name="loan", name="due_on", field=models.DateField(null=True)),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="loan", name="due"),
        migrations.AddField(
            model_name="loan",
            name="reminders",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
