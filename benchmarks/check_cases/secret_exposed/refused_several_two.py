import requests


def push(text):
    return requests.post("https://push.example/send", auth=("bot", "Nachtfalter_92!"), data=text)
