def split_bill(bill, people):
    return [bill / people] * people
