from collections import defaultdict

def per_member(bookings):
    owed = defaultdict(float)
    for b in bookings:
        owed[b.member] += b.fee
    return dict(owed)
