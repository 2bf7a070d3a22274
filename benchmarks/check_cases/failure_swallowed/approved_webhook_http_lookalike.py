import requests


def tell_partner(urls, event):
    for url in urls:
        try:
            requests.post(url, json=event, timeout=5).raise_for_status()
        except requests.RequestException:
            continue
        return "delivered"
    return "failed"
