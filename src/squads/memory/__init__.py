"""Floor 2: charter and facts: who may read them, and which are worth telling."""
