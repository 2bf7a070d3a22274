"""Scores of the written placement test."""

LEVELS = ((0, "A1"), (12, "A2"), (24, "B1"), (36, "B2"), (48, "C1"))


def points(answers, solutions):
    """Return one point for each right answer; None is an answer left out."""
    score = 0
    for question, right in solutions.items():
        answer = answers.get(question)
        if answer is not None and _same(answer, right):
            score += 1
    return score


def _same(answer, right):
    return answer.strip().casefold() == right.strip().casefold()


def level_of(score):
    """Return the highest level that begins at or below a score."""
    level = LEVELS[0][1]
    for begins, name in LEVELS:
        if score >= begins:
            level = name
    return level
