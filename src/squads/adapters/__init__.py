"""Floor 2: the world behind the ports: stores, buses, keys, clocks. Vendors are imported inside functions."""
