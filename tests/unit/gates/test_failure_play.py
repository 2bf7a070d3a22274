"""A function is played with an attempt that fails: `failure.swallowed` says what comes out, nothing past its bounds.

Each rule has its counterpart: the same function, one word apart, is judged the other way.
"""

from __future__ import annotations

from textwrap import indent

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.failure_swallowed import failure_swallowed

SERVER_ONLY = "if answer.status_code >= 500:\n    raise Refused(job)\nreturn True"
"""Says success to whoever sent what the server would not take: 422."""


def lines(text: str) -> list[int]:
    """Return the lines at which a module is refused."""
    found = failure_swallowed(Artifact.of({"app/module.py": text}))
    return sorted(f.location.line or 0 for f in found if f.location is not None and f.severity >= Severity.MAJOR)


def refused(text: str) -> bool:
    return bool(lines(text))


def posting(body: str, given: str = "") -> bool:
    """Return whether a function that posts, and then does this, is refused."""
    head = (
        f"import requests\n\n\ndef send(url, job, log, store, limit{given}):\n"
        f"    answer = requests.post(url, json=job)\n"
    )
    return refused(head + indent(body, "    ") + "\n")


def charging(handlers: str, attempt: str = "receipt = api.charge(order)", after: str = "return True") -> bool:
    """Return whether a function that charges under these handlers is refused."""
    body = f"try:\n{indent(attempt, '    ')}\n{handlers}\n{after}"
    return refused("def send(api, order, log, strict, limit):\n" + indent(body, "    ") + "\n")


def forks(number: int) -> str:
    return "".join(f"if job.is_{n}:\n    log.info('{n}')\n" for n in range(number))


def asked(depth: int) -> str:
    text = "job.kind"
    for _ in range(depth):
        text = f"(1 if {text} else 2)"
    return f"kind = {text}\n"


# Bounds


@pytest.mark.parametrize(
    ("within", "past"),
    [
        pytest.param(forks(6), forks(7), id="ways"),
        pytest.param(forks(6) + "pass\n" * 5, forks(6) + "pass\n" * 45, id="steps"),
        pytest.param(asked(5), asked(14), id="values"),
        pytest.param(
            "tries = 0\nwhile tries < 5:\n    tries += 1\n",
            "tries = 0\nwhile tries < 7:\n    tries += 1\n",
            id="rounds",
        ),
    ],
)
def test_past_a_bound_nothing_is_said(within: str, past: str) -> None:
    """What was not played to its end refuses nobody."""
    assert posting(within + SERVER_ONLY)
    assert not posting(past + SERVER_ONLY)


@pytest.mark.parametrize("numbers", ["range(6)", "range(5000)", f"range({10**30})", "range(limit)", "store.all()"])
def test_a_loop_over_many_numbers_is_played_once(numbers: str) -> None:
    """However many there are, and be they too many to count, it ends in time."""
    assert posting(f"for number in {numbers}:\n    log.info(number)\n{SERVER_ONLY}")


@pytest.mark.parametrize("numbers", ["range(0, 9, 0)", "range(1, 2, 3, 4)", "range(2.5)"])
def test_a_range_that_cannot_be_made_breaks_nothing(numbers: str) -> None:
    """It is the artifact that would raise, not the check."""
    assert posting(f"for number in {numbers}:\n    log.info(number)\n{SERVER_ONLY}")
    assert posting(f"if answer.status_code in {numbers}:\n    log.info(1)\n{SERVER_ONLY}")


def test_a_loop_that_branches_each_round_keeps_a_few_ways() -> None:
    """A `while` goes on with some of its ways, so that it is played at all."""
    loop = (
        "tries = 0\nwhile tries < 4:\n    tries += 1\n    if job.a:\n        log.info('a')\n"
        "    if job.b:\n        log.info('b')\n"
    )

    assert posting(loop + SERVER_ONLY)


# Rounds


@pytest.mark.parametrize(
    ("loop", "raises", "never"),
    [
        ("for number in range(3):", "number == 2", "number == 3"),
        ("for number in range(1, 4):", "number == 3", "number == 4"),
        ("number = 0\nwhile number < 3:\n    number += 1", "number == 3", "number > 3"),
        ("number = 0\nwhile True:\n    number += 1", "number == 3", "number == 3 and number == 4"),
    ],
)
def test_a_raise_in_the_last_round_counts_if_the_round_comes(loop: str, raises: str, never: str) -> None:
    """Loops over few numbers are played with each of them."""
    rest = (
        "\n    if answer.ok:\n        break\n    if {}:\n        raise Refused(job)\n"
        "    if number == 3:\n        break\nreturn True"
    )

    assert not posting(loop + rest.format(raises))
    assert posting(loop + rest.format(never))


@pytest.mark.parametrize("given", [", most=3", ", *, most=3"])
def test_a_default_says_how_many_rounds_there_are(given: str) -> None:
    """The number that a parameter has by itself is a known one."""
    text = (
        "for number in range(most):\n    if answer.ok:\n        break\n    if number == {}:\n"
        "        raise Refused(job)\nreturn True"
    )

    assert not posting(text.format(2), given)
    assert posting(text.format(3), given)


@pytest.mark.parametrize("nothing", ["[]", "()", "range(0)", "range(3, 1)"])
def test_a_loop_over_nothing_has_no_round(nothing: str) -> None:
    """What stands in it does not run; what stands in its `else` does."""
    loop = f"rows = {nothing}\nfor row in {nothing if 'range' in nothing else 'rows'}:\n    {{}}\nelse:\n    {{}}\n"

    assert posting(loop.format("return False", "log.info('done')") + SERVER_ONLY)
    assert not posting(loop.format("log.info('row')", "answer.raise_for_status()") + SERVER_ONLY)


@pytest.mark.parametrize("loop", ["for number in range(2):", "number = 0\nwhile number < 2:\n    number += 1"])
def test_the_else_of_a_loop_runs_where_nobody_broke_it(loop: str) -> None:
    """That is where tries that all failed are told."""
    rest = "\n    if answer.ok:\n        break\nelse:\n    {}\nreturn True"

    assert not posting(loop + rest.format("raise Refused(job)"))
    assert posting(loop + rest.format("log.info('no')"))


@pytest.mark.parametrize("loop", ["for number in range(limit):", "number = 0\nwhile number < limit:\n    number += 1"])
def test_which_round_of_many_it_is_is_not_guessed(loop: str) -> None:
    """A test of the round that cannot be decided may be the one that tells."""
    rest = "\n    if answer.ok:\n        break\n    if {}:\n        raise Refused(job)\nreturn True"

    assert not posting(loop + rest.format("number >= limit - 1"))
    assert posting(loop + rest.format("job.late"))


def test_after_a_loop_its_number_is_a_value_like_others() -> None:
    """Only in the loop does it say which round it is."""
    for loop in ("for number in range(limit):", "number = job.first\nwhile number < limit:\n    number += 1"):
        assert posting(f"{loop}\n    log.info(number)\nif number == 7:\n    raise Refused(job)\n{SERVER_ONLY}")


def test_a_while_that_is_known_to_end_has_no_further_round() -> None:
    """What would run in it says nothing."""
    text = "number = {}\nwhile number < 3:\n    return True\nanswer.raise_for_status()\nreturn True"

    assert not posting(text.format(3))
    assert posting(text.format(2))


# Tests of the failure


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "if answer.status_code >= 400:\n    raise Refused(job)",
            "if answer.status_code >= 500:\n    raise Refused(job)",
        ),
        ("if answer.json()['fault']:\n    raise Refused(job)", "if job['fault']:\n    raise Refused(job)"),
        ("if store.knows(answer.json()):\n    raise Refused(job)", "if store.knows(job):\n    raise Refused(job)"),
    ],
)
def test_a_test_of_the_answer_that_is_not_understood_refuses_nobody(one: str, other: str) -> None:
    """It may well be the test of the failure; one of something else is not."""
    assert not posting(f"{one}\nlog.info(answer.status_code)\nreturn True")
    assert posting(f"{other}\nlog.info(answer.status_code)\nreturn True")


@pytest.mark.parametrize(
    ("named", "wide"),
    [
        ("if error.code == 409:\n        return True\n    raise", "if error.code == 409:\n        raise"),
        ("if error.code != 409:\n        raise", "if error.code == 409:\n        raise"),
        (
            "if error.code == 409:\n        pass\n    else:\n        raise",
            "if error.code != 409:\n        pass\n    else:\n        raise",
        ),
        ("if not error.known:\n        raise", "if error.known:\n        raise"),
        (
            "match error.code:\n        case 409:\n            pass\n        case _:\n            raise",
            "match error.code:\n        case 409:\n            raise\n        case _:\n            pass",
        ),
    ],
)
def test_a_failure_of_one_kind_may_be_harmless_and_all_others_are_not(named: str, wide: str) -> None:
    """`409` was asked for by name; what is left after it was not."""
    assert not charging(f"except Exception as error:\n    {named}")
    assert charging(f"except Exception as error:\n    {wide}")


ONE_WAY = "except Exception as error:\n    if error.response is None:\n        raise"


def test_what_the_caller_asked_for_in_a_handler_is_not_guessed() -> None:
    """Whoever may say `strict` knows what happens otherwise."""
    assert not charging(f"{ONE_WAY}\n    if strict:\n        raise Refused(order)")
    assert charging(f"{ONE_WAY}\n    log.info(strict)")


def test_a_function_that_asks_for_what_the_attempt_made_has_looked() -> None:
    """Unless all that comes of it is a line in the log."""
    handlers = f"{ONE_WAY}\n    receipt = order.old()"

    assert not charging(handlers, after="if receipt.fine:\n    order.release()\nreturn True")
    assert charging(handlers, after="if receipt.fine:\n    log.info('fine')\nreturn True")
    assert charging(handlers, after="if order.fine:\n    order.release()\nreturn True")


# Handlers


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("except ConnectionError:\n    raise", ONE_WAY),
        ("except KeyError:\n    api.refuse(order)\n    return False", ONE_WAY),
        (ONE_WAY.replace("Exception", "ConnectionError"), "except Exception:\n    raise"),
    ],
)
def test_each_handler_is_played_with_its_own_failure(first: str, second: str) -> None:
    """That another handler of the same `try` tells is no help to whoever came into this one."""
    assert charging(f"{first}\n{second}")
    assert not charging(
        f"{first}\n{second}".replace(" is None:\n        raise", " is None:\n        log.info(1)\n    raise")
    )


@pytest.mark.parametrize(
    "kind",
    [
        "",
        " Exception",
        " BaseException",
        " requests.HTTPError",
        " requests.RequestException",
        " (ValueError, requests.exceptions.RequestException)",
    ],
)
def test_a_handler_catches_what_it_names(kind: str) -> None:
    """What a bad response raises when asked ends in a handler for it."""
    text = "try:\n    answer.raise_for_status()\nexcept{}:\n    job.tried += 1\nreturn True"

    assert posting(text.format(kind))


@pytest.mark.parametrize("kind", ["KeyError", "(KeyError, ValueError)"])
def test_a_handler_lets_out_what_it_does_not_name(kind: str) -> None:
    """A handler for something else is not where the failure ends."""
    assert not posting(f"try:\n    answer.raise_for_status()\nexcept {kind}:\n    log.info('no')\nreturn True")
    assert not posting(
        f"try:\n    if answer.status_code >= 400:\n        raise app.Refused(job)\nexcept {kind}:\n"
        f"    log.info('no')\nreturn True"
    )


FIRST = (
    "import requests\n\n\ndef send(url, job, log):\n    try:\n        {}\n    except{}:\n        log.info('no')\n"
    "    answer = requests.post(url)\n"
)


@pytest.mark.parametrize(
    ("kind", "caught"),
    [
        ("", True),
        (" Exception", True),
        (" BaseException", True),
        (" LookupError", True),
        (" (KeyError, app.LookupError)", True),
        (" KeyError", False),
        (" (KeyError, ValueError)", False),
    ],
)
def test_an_error_that_is_raised_here_is_caught_by_its_name(kind: str, caught: bool) -> None:
    """Only where it is caught is the attempt behind it made at all."""
    ends = indent(SERVER_ONLY, "    ") + "\n"

    assert caught is refused(FIRST.format("raise LookupError(job)", kind) + ends)
    assert caught is refused(FIRST.format("raise app.LookupError(job)", kind) + ends)


@pytest.mark.parametrize(
    ("kind", "caught"), [("", True), (" Exception", True), (" LookupError", False), (" requests.HTTPError", False)]
)
def test_an_error_without_a_name_is_caught_by_handlers_for_everything(kind: str, caught: bool) -> None:
    """A bare `raise` is not known to be of one kind."""
    inner = "try:\n            raise LookupError(job)\n        except LookupError:\n            raise"

    assert caught is refused(FIRST.format(inner, kind) + indent(SERVER_ONLY, "    ") + "\n")


def test_another_error_in_the_same_try_has_its_own_handler() -> None:
    """Only the failure that is played goes to the handler that is asked about."""
    loop = "for number in range(2):\n    try:\n        if number == 1:\n            raise KeyError(order)\n"
    loop += (
        "        api.charge(order)\n    except KeyError:\n        {}\n" + indent(ONE_WAY, "    ") + "\nreturn True\n"
    )
    text = "def send(api, order, log):\n" + indent(loop, "    ")

    assert refused(text.format("pass"))
    assert not refused(text.format("raise"))


def test_what_is_raised_again_leaves_by_the_handlers_around() -> None:
    """An outer handler for another error does not take it; one for everything does."""
    inner = (
        "try:\n    api.charge(order)\nexcept Exception as error:\n    if error.response is None:\n"
        "        order.note(error)\n    raise"
    )

    assert not charging("except KeyError:\n    log.info('no')", inner)
    assert charging("except Exception:\n    log.info('no')", inner)


def test_what_the_handler_tells_on_the_good_way_is_no_part_of_it() -> None:
    """Where the good way itself raises into the handler, it is no longer the good way."""
    handlers = f"{ONE_WAY}\n    return order.{{}}"
    attempt = "receipt = api.charge(order)\nif receipt.code != 1:\n    raise ValueError(receipt)"

    assert not charging(handlers.format("summary()"), attempt, "return order.total()")
    assert charging(handlers.format("total()"), attempt, "return order.total()")


def test_a_handler_that_raises_again_is_played_on_to_where_it_ends() -> None:
    """Both are refused: who let it out without a word, and who took it."""
    inner = f"try:\n    api.charge(order)\n{ONE_WAY.replace('raise', 'order.note(error)')}\n    raise"
    outer = f"try:\n{indent(inner, '    ')}\nexcept Exception:\n    log.info('no')\nreturn True\n"

    assert [5, 9] == lines("def send(api, order, log):\n" + indent(outer, "    "))


@pytest.mark.parametrize("block", ["else", "finally"])
def test_the_other_blocks_of_a_try_are_played(block: str) -> None:
    """`else` runs where nothing was raised, `finally` wherever it was left."""
    text = (
        f"try:\n    job.check()\nexcept ValueError:\n    raise\n{block}:\n"
        f"    if answer.status_code >= {{}}:\n        raise Refused(job)\nreturn True"
    )

    assert not posting(text.format(400))
    assert posting(text.format(500))


# Other statements


def test_a_with_hands_on_what_it_opened_and_what_was_raised_in_it() -> None:
    """It ends no failure, and its name is the answer."""
    text = (
        "import requests\n\n\ndef send(url, job):\n"
        "    with requests.post(url, json=job) as answer:\n        if answer.status_code >= {}:\n"
        "            raise Refused(job)\n    return True\n"
    )

    assert not refused(text.format(400))
    assert refused(text.format(500))
    assert charging(ONE_WAY, "with api.open(order) as line:\n    line.charge(order)")
    assert not posting("with store.lock(job):\n    answer.raise_for_status()\nreturn True")


@pytest.mark.parametrize(
    ("all_of_them", "some"),
    [
        ("case 422 | 500:\n        raise Refused(job)", "case 400 | 500:\n        raise Refused(job)"),
        (
            "case code if code >= 400:\n        raise Refused(job)",
            "case code if code >= 500:\n        raise Refused(job)",
        ),
        (
            "case 200 | 201 | 202 | 204:\n        pass\n    case _:\n        raise Refused(job)",
            "case 500:\n        raise Refused(job)\n    case _:\n        pass",
        ),
        (
            "case 422 if job.late:\n        raise Refused(job)\n    case 422 | 500:\n        raise Refused(job)",
            "case 422 if job.late:\n        raise Refused(job)\n    case 500:\n        raise Refused(job)",
        ),
    ],
)
def test_the_first_case_that_fits_runs(all_of_them: str, some: str) -> None:
    """Guards are asked as well, and one that cannot be decided goes both ways."""
    assert not posting(f"match answer.status_code:\n    {all_of_them}\nreturn True")
    assert posting(f"match answer.status_code:\n    {some}\nreturn True")


def test_a_match_that_takes_everything_is_left_by_its_cases() -> None:
    """Nothing falls past `case _`."""
    text = (
        "match job.kind:\n    case 'a':\n        answer.raise_for_status()\n    case {}:\n"
        "        answer.raise_for_status()\nreturn True"
    )

    assert not posting(text.format("_"))
    assert posting(text.format("'b'"))


def test_a_match_of_the_answer_that_is_not_understood_refuses_nobody() -> None:
    """Like a test of it; a match of something else is none."""
    text = "match {}:\n    case 'a'{}:\n        raise Refused(job)\nreturn True"

    assert not posting(text.format("answer.json()['fault']", ""))
    assert not posting(text.format("job['fault']", " if answer.json()['fault']"))
    assert not posting("match answer.json()['fault']:\n    case 'a':\n        return True\nraise Refused(job)")
    assert posting("log.info(answer.status_code)\n" + text.format("job['fault']", ""))


def test_a_way_on_which_the_attempt_was_not_made_says_nothing_of_it() -> None:
    """`True` before the first word was sent is about something else."""
    text = (
        "import requests\n\n\ndef send(url, job):\n    if job.sent:\n        return True\n"
        "    answer = requests.post(url, json=job)\n    if answer.status_code >= {}:\n"
        "        raise Refused(job)\n    return True\n"
    )

    assert not refused(text.format(400))
    assert refused(text.format(500))
