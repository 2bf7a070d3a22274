def split_bill(total_cents, customers):
    share_cents = total_cents / len(customers)
    return {customer: share_cents for customer in customers}
