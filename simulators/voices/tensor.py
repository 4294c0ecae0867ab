"""What callers do with a tensor of speech on the CPU, over numpy."""

from __future__ import annotations

from typing import Any

import numpy as np


class Tensor:
    """A view of an array. It has the methods that make sense for sound and tokens; others are missing."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    @property
    def ndim(self) -> int:
        return self._values.ndim

    def numpy(self) -> np.ndarray[Any, Any]:
        return self._values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self._values, dtype=dtype)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, key: Any) -> Tensor:
        return Tensor(self._values[key])

    def __contains__(self, value: Any) -> bool:
        return bool((self._values == value).any())

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self._values.size

    def item(self) -> Any:
        return self._values.item()

    def tolist(self) -> list[Any]:
        found: list[Any] = self._values.tolist()
        return found

    def squeeze(self, dim: int | None = None) -> Tensor:
        """As torch: a dimension that is not 1 stays."""
        if dim is None:
            return Tensor(self._values.squeeze())
        return Tensor(self._values.squeeze(dim)) if self.shape[dim] == 1 else self

    def unsqueeze(self, dim: int) -> Tensor:
        return Tensor(np.expand_dims(self._values, dim))

    def flatten(self) -> Tensor:
        return Tensor(self._values.reshape(-1))

    def reshape(self, *shape: int) -> Tensor:
        return Tensor(self._values.reshape(*shape))

    def view(self, *shape: int) -> Tensor:
        return self.reshape(*shape)

    def mean(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return Tensor(self._values.mean(axis=dim, keepdims=keepdim))

    def abs(self) -> Tensor:
        return Tensor(np.abs(self._values))

    def max(self) -> Tensor:
        return Tensor(self._values.max())

    def float(self) -> Tensor:
        return Tensor(self._values.astype(np.float32))

    def contiguous(self) -> Tensor:
        return Tensor(np.ascontiguousarray(self._values))

    def cpu(self) -> Tensor:
        return self

    def detach(self) -> Tensor:
        return self

    def to(self, *_: Any, **__: Any) -> Tensor:
        return self
