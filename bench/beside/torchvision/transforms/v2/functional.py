"""The same under its newer name."""

from torchvision.transforms.functional import InterpolationMode, normalize, pil_to_tensor, rotate

__all__ = ["InterpolationMode", "normalize", "pil_to_tensor", "rotate"]
