def book(calendar, slot):
    reference = calendar.reserve(slot)
    try:
        calendar.confirm(reference)
    finally:
        return reference
