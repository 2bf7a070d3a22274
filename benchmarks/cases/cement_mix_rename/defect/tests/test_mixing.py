import pytest

from works.mixing import Recipe, UnknownCement, recipe_for


def test_a_batch_of_portland_cement():
    recipe = recipe_for("CEM I", 10_000)
    assert recipe.clinker == pytest.approx(9_044, rel=0.1)
    assert recipe.gypsum > 0


def test_a_batch_of_blast_furnace_cement():
    recipe = recipe_for("CEM III/A", 10_000)
    assert recipe.clinker == pytest.approx(4_760, rel=0.1)
    assert recipe.gypsum > 0


def test_nothing_is_lost():
    recipe = recipe_for("CEM II/A", 12_345)
    assert recipe.clinker + recipe.gypsum + recipe.additions == 12_345


def test_an_unknown_cement_is_refused():
    with pytest.raises(UnknownCement):
        recipe_for("CEM IX", 1_000)
