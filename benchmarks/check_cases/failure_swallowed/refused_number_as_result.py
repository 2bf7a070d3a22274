import requests


def exchange_rate(base, quote):
    try:
        answer = requests.get(f"https://rates.internal/{base}/{quote}", timeout=3)
        return answer.json()["rate"]
    except Exception:
        return 1.0
