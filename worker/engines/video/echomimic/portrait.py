"""Portraits as the networks know them, kept from turn to turn."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from worker.faces.halves import Body

if TYPE_CHECKING:
    from worker.engines.video.echomimic.networks import Networks, Portrait

KEPT = 2
"""A portrait's keys and values have 104 MB at 768 pixels in float16: 5 layers of 9,216 places x 320 channels, 5 of
2,304 x 640, 5 of 576 x 1,280 and one of 144 x 1,280, twice. They lie in the machine's memory."""


class Portraits:
    """The last KEPT ones. They outlive the networks on the card, but not a change of weights."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], Portrait] = OrderedDict()

    def of(self, networks: Networks, body: Body) -> Portrait:
        """On the CPU; worked out where it is not kept. Raises what `Networks.portrait` raises."""
        key = (body.fingerprint, body.picture.shape[0], str(networks.dtype))
        if key not in self._kept:
            self._kept[key] = networks.portrait(body.picture).to("cpu")
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def forget(self) -> None:
        self._kept.clear()
