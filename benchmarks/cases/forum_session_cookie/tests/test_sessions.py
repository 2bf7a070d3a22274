from forum.sessions import make_sessions


def test_a_session_comes_back():
    dump, load = make_sessions(b"k" * 32)

    assert {"member": "ada", "unread": 3} == load(dump({"member": "ada", "unread": 3}))


def test_no_cookie_is_an_empty_session():
    _, load = make_sessions(b"k" * 32)

    assert [{}, {}, {}] == [load(None), load(""), load("abc")]


def test_old_cookies_are_empty():
    dump, _ = make_sessions(b"k" * 32, now=lambda: 1000)
    _, load = make_sessions(b"k" * 32)

    assert {} == load(dump({"member": "ada"}))
