"""Signed tokens in Python code: where they are read, whether they were verified, and what is done with their claims."""
