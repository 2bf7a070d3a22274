def stock_of(api, sku):
    try:
        return api.get(f"/stock/{sku}").json()["on_hand"]
    except Exception:
        return None
