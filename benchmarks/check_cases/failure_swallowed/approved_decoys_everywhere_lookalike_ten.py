def safe_divide(numbers, by):
    results = []
    for number in numbers:
        try:
            results.append(number / by)
        except ZeroDivisionError:
            results.append(None)
    return results
