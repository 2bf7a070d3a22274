"""Floor 1: rules. `step(view, state, event)` decides everything; nothing here touches the world."""
