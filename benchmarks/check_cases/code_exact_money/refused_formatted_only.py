def row(club, n, each):
    s = n * each * 1.07
    club.book(s)
    return f"{n} tickets, {s:.2f} € to pay"
