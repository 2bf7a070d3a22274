from client.http import RETRIES, Reply, get


def test_the_first_good_reply_is_returned(monkeypatch):
    monkeypatch.setenv("WEATHER_TOKEN", "t")
    replies = [Reply(503, ""), Reply(200, "rain")]

    assert get("u", lambda *_: replies.pop(0), sleep=lambda _: None).body == "rain"


def test_it_gives_up_after_the_last_retry(monkeypatch):
    monkeypatch.setenv("WEATHER_TOKEN", "t")
    asked = []

    reply = get("u", lambda *_: asked.append(1) or Reply(503, ""), sleep=lambda _: None)

    assert (reply.status, len(asked)) == (503, 1 + RETRIES)
