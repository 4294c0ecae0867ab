"""The same under its newer name."""
