"""Which values an artifact gives to columns, and whether their types can hold them."""
