import requests


def tell_partner(url, event):
    try:
        requests.post(url, json=event, timeout=5).raise_for_status()
    except requests.RequestException:
        return "failed"
    return "delivered"
