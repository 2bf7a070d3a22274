CACHE_KEYS = {"orders": "shop:orders:v2:2024-11", "stock": "shop:stock:v2:2024-11"}
ROW_KEY = "b7e23ec29af22b0b4e41da31e868d57226121c84"


def key(name):
    return CACHE_KEYS[name]
