import os


class Config:
    STRIPE = os.environ.get("STRIPE", "sk_live_51HxQ2pLkJ7vN3mB8cR4tY6w")
