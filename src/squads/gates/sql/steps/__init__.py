"""Migrations as steps: what each statement does to tables that stood before, in which transaction, and what is kept."""
