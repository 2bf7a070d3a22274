def learning(loss_total, batch, costs):
    """Return the mean cost of a batch."""
    cost = sum(float(c) for c in costs) / len(batch)
    return cost + loss_total * 0.01
