"""Doubles of the packages that the voices `cosyvoice` and `voxcpm` are made with: `models = write_models(folder)`, and
SMARTTALKER_MODELS_DIR=folder.

They are not the models: they speak with eSpeak, in about the pitch of the reference. Their names and parameters come
from signatures.json, and they check what upstream checks, with upstream's errors. `models.voxcpm.fail("hang", after=2)`
gives one a bad day (simulators.voices.faults), `models.voxcpm.calls` is what was asked of it, and `.oddities` what
upstream lets pass and a careful caller does not ask.
"""

from simulators.voices.faults import Fault
from simulators.voices.handle import Double
from simulators.voices.journal import Call
from simulators.voices.writing import BOTH, Models, write_models

__all__ = ["BOTH", "Call", "Double", "Fault", "Models", "write_models"]
