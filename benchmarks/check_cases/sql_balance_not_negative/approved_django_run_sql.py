from django.db import migrations

SQL = """
ALTER TABLE shop_customer ADD COLUMN store_credit numeric(10,2) NOT NULL DEFAULT 0 CONSTRAINT store_credit_floor CHECK (store_credit >= 0);
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_auto")]
    operations = [
        migrations.RunSQL(sql=SQL, reverse_sql="ALTER TABLE shop_customer DROP COLUMN store_credit"),
    ]
