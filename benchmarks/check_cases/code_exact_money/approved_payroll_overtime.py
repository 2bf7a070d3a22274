from fractions import Fraction


def pay_slip(employee, hours):
    base = employee["hourly_wage_cents"] * hours
    overtime = employee["hourly_wage_cents"] * Fraction(3, 2) * max(0, hours - 40)
    return {"gross_cents": round(base + overtime)}
