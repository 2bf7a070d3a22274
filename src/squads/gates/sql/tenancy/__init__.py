"""Tables shared by tenants: which column keeps them apart, and what reads or writes across it."""
