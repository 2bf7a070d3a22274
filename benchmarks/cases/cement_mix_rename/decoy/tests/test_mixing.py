import pytest

from works.mixing import Recipe, UnknownCement, recipe_for


@pytest.mark.parametrize(
    ("cement", "kilograms", "recipe"),
    [
        ("CEM I", 10_000, Recipe(clinker=9_044, gypsum=480, additions=476)),
        ("CEM III/A", 10_000, Recipe(clinker=4_760, gypsum=480, additions=4_760)),
        ("CEM II/A", 12_345, Recipe(clinker=9_402, gypsum=592, additions=2_351)),
    ],
)
def test_what_goes_into_a_batch(cement, kilograms, recipe):
    assert recipe_for(cement, kilograms) == recipe
    assert recipe.clinker + recipe.gypsum + recipe.additions == kilograms


@pytest.mark.parametrize("cement", ["CEM IX", "", "cem i"])
def test_an_unknown_cement_is_refused(cement):
    with pytest.raises(UnknownCement):
        recipe_for(cement, 1_000)
