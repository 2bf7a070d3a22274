collect_ignore_glob = ["slow/data/*"]


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a second")


def pytest_addoption(parser):
    parser.addoption("--fast", action="store_true", help="leave the slow tests out")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--fast"):
        items[:] = [item for item in items if "slow" not in item.keywords]
    items.sort(key=lambda item: "slow" in item.keywords)
