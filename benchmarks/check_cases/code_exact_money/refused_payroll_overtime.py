def pay_slip(employee, hours):
    base = employee["hourly_wage"] * hours
    overtime = employee["hourly_wage"] * 1.5 * max(0, hours - 40)
    return {"gross": base + overtime}
