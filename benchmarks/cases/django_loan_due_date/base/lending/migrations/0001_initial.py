from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Loan",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("barcode", models.CharField(max_length=14)),
                ("reader", models.PositiveIntegerField()),
                ("due", models.DateField()),
                ("returned", models.DateField(null=True)),
            ],
        ),
    ]
