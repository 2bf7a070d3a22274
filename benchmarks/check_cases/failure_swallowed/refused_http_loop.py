import requests

def publish(notices, url):
    published = 0
    for n in notices:
        r = requests.put(f"{url}/{n.id}", json=n.body, timeout=9)
        print(n.id, r.status_code)
        published += 1
    return published
