"""Tools as gates: a command that judges files becomes one gate with one verdict."""
