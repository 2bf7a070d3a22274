import requests


def tell_partner(url, event):
    outcome = "delivered"
    try:
        requests.post(url, json=event, timeout=5)
    except requests.RequestException as error:
        reason = str(error)
        print("partner", url, reason)
    return outcome
