def recipe(servings, amounts):
    """Scale the amounts of a recipe; the total is in grams."""
    total = 0.0
    for name, amount in amounts.items():
        total += float(amount) * servings
    return total
