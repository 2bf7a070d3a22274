"""Distances on the globe."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0
KM_PER_NAUTICAL_MILE = 1.852


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance between two (latitude, longitude) pairs in degrees."""
    (lat_a, lon_a), (lat_b, lon_b) = (map(radians, point) for point in (a, b))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h))


def nautical_miles(km: float) -> float:
    return km / KM_PER_NAUTICAL_MILE
