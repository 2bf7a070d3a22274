from core.parsing import cents, day

__all__ = ["cents", "day"]
