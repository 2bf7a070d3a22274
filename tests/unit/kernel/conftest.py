"""Here so that the helper beside it can be imported by name."""
