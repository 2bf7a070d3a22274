"""Models through pydantic-ai, the one place that knows a vendor. Imported when the first model is asked."""
