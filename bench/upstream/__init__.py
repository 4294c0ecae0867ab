"""The original repositories beside ours, where somebody has a checkout of them: never copied, never committed."""
