"""The letter with the result."""

from placement.score import level_of


def letter(name, score):
    return f"Dear {name.strip()},\nyou have {score} points and start in {level_of(score)}.\n"
