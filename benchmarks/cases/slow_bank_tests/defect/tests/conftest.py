def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a second")


collect_ignore_glob = ["slow/*"]
