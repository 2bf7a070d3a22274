def pay_slip(employee, hours):
    base = employee["hourly_wage"] * hours
    factor = 3 / 2
    overtime = employee["hourly_wage"] * factor * max(0, hours - 40)
    return {"gross": round(base + overtime, 2)}
