from django.db import migrations


def forget(apps, schema_editor):
    contact = apps.get_model("people", "Contact")
    contact.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("people", "0007_profile")]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
