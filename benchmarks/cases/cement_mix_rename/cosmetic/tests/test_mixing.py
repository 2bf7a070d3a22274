import pytest

from works.mixing import CLINKER_SHARE, GYPSUM_SHARE, Recipe, UnknownCement, recipe_for


def expected(cement, kilograms):
    gypsum = kilograms * GYPSUM_SHARE // 1_000
    clinker = (kilograms - gypsum) * CLINKER_SHARE[cement] // 1_000
    return Recipe(clinker, gypsum, kilograms - gypsum - clinker)


def test_a_batch_of_portland_cement():
    assert recipe_for("CEM I", 10_000) == expected("CEM I", 10_000)


def test_a_batch_of_blast_furnace_cement():
    assert recipe_for("CEM III/A", 10_000) == expected("CEM III/A", 10_000)


def test_nothing_is_lost():
    recipe = recipe_for("CEM II/A", 12_345)
    assert recipe.clinker + recipe.gypsum + recipe.additions == 12_345


def test_an_unknown_cement_is_refused():
    with pytest.raises(UnknownCement):
        recipe_for("CEM IX", 1_000)
