import types

from consent.handlers import withdraw


def run(request):
    kept, gone = [], []
    cache = types.SimpleNamespace(drop=lambda *names: gone.append(names))
    return withdraw(request, kept, cache), kept, gone


def test_a_withdrawal_is_written_and_the_cache_dropped():
    response, kept, gone = run({"person": "ada", "purpose": "newsletter"})

    assert (200, "newsletter") == (response.status, response.body["withdrawn"])
    assert (False, [("ada", "newsletter")]) == (kept[0]["given"], gone)


def test_a_request_without_a_person_is_400():
    assert 400 == run({"purpose": "x"})[0].status
