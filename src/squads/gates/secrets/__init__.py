"""What a secret is: which names hold one, which texts are one, and where Python, settings and logs show it."""
