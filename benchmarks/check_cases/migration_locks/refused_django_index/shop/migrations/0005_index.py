from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_note")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["customer"], name="order_customer"),
        ),
    ]
