def mean(values: list[float]) -> float:
    total = sum(values)
    return total / len(values)


def cost(path: list[float]) -> float:
    total_cost = 0.0
    for step in path:
        total_cost += step * 1.5
    return total_cost
