import stripe


def charge(customer, cents):
    stripe.api_key = "sk_live_4Zr8Tq1YwX7mKc2LpV9s"
    return stripe.PaymentIntent.create(customer=customer, amount=cents, currency="eur")
