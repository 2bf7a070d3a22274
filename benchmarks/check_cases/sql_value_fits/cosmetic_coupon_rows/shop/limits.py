FULL = {"free": 100, "half": 50}
