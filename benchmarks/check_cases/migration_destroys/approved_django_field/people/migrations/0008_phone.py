from django.db import migrations


def copy_phones(apps, schema_editor):
    person = apps.get_model("people", "Person")
    contact = apps.get_model("people", "Contact")
    for row in person.objects.exclude(phone=""):
        contact.objects.create(person=row, phone=row.phone)


class Migration(migrations.Migration):
    dependencies = [("people", "0007_profile")]

    operations = [
        migrations.RunPython(copy_phones, migrations.RunPython.noop),
        migrations.RemoveField(model_name="person", name="phone"),
    ]
