"""Python code of a migration that changes rows, played on made rows: a small interpreter, and what libraries give."""
