from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_note")]

    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=20))],
        ),
        migrations.AddIndex(model_name="tag", index=models.Index(fields=["name"], name="tag_name")),
        migrations.AddField(model_name="order", name="note", field=models.TextField(null=True)),
    ]
