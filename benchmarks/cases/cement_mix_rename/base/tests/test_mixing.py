import pytest

from works.mixing import Mix, UnknownCement, mix_for


def test_a_batch_of_portland_cement():
    assert mix_for("CEM I", 10_000) == Mix(clinker=9_044, gypsum=480, additions=476)


def test_a_batch_of_blast_furnace_cement():
    assert mix_for("CEM III/A", 10_000) == Mix(clinker=4_760, gypsum=480, additions=4_760)


def test_nothing_is_lost():
    mix = mix_for("CEM II/A", 12_345)
    assert mix.clinker + mix.gypsum + mix.additions == 12_345


def test_an_unknown_cement_is_refused():
    with pytest.raises(UnknownCement):
        mix_for("CEM IX", 1_000)
