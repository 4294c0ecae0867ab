"""As much of torchvision as spandrel uses, and as transformers imports where it finds a torchvision."""

__version__ = "0.28.0"
"""The one whose functions these are: https://docs.pytorch.org/vision/0.28/transforms.html."""
