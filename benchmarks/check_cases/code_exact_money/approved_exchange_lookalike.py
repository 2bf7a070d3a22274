def change_of_rate(currency, today, yesterday):
    """Return by how much a currency rose, in percent."""
    return (float(today[currency]) / float(yesterday[currency]) - 1) * 100
