def shift_load(employee, hours):
    load = hours / employee["weekly_hours"]
    return {"load": round(load * 1.5, 2), "wage_cents": employee["hourly_wage_cents"] * hours}
