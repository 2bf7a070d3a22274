from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_note")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["customer"], name="order_customer"),
        ),
    ]
