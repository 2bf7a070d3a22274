"""Floor 2: coordinators and builders: classes to subclass."""
