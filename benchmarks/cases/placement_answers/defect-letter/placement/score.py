"""Scores of the written placement test."""

LEVELS = ((0, "A1"), (12, "A2"), (24, "B1"), (36, "B2"), (48, "C1"))


def points(answers, solutions):
    """Return one point for each right answer; None is an answer left out."""
    return sum(
        1
        for question, right in solutions.items()
        if answers.get(question) is not None and _plain(answers[question]) == _plain(right)
    )


def _plain(text):
    return text.strip().casefold()


def level_of(score):
    """Return the highest level that begins at or below a score."""
    level = LEVELS[0][1]
    for begins, name in LEVELS:
        if score >= begins:
            level = name
    return level
