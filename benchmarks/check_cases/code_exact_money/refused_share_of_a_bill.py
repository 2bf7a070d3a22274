def split(bill_total, people):
    share = round(float(bill_total) / people, 2)
    shares = [share] * people
    shares[0] += float(bill_total) - sum(shares)
    return shares
