import sqlite3

import pytest
from fleet.context import acting_for
from fleet.devices import Devices


@pytest.fixture
def devices():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE devices (id INTEGER PRIMARY KEY, tenant TEXT, name TEXT);
    INSERT INTO devices VALUES (1, 'a', 'one'), (2, 'a', 'two');
    """)
    with acting_for("a"):
        yield Devices(connection)


def test_devices_are_renamed_and_retired(devices):
    assert (2, 1) == (devices.rename([1, 2], "till"), devices.retire([2]))
    assert ["till-1"] == devices.names()


@pytest.mark.parametrize("ids", [[], [1] * 501])
def test_not_none_and_not_too_many(devices, ids):
    with pytest.raises(ValueError):
        devices.retire(ids)


def test_without_a_tenant_there_is_nothing_to_see():
    with pytest.raises(LookupError):
        Devices(sqlite3.connect(":memory:")).names()
