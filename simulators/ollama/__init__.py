"""An Ollama server as a simulator: `with running(models=["qwen2.5:14b"]) as ollama:` in tests, or
`python -m simulators ollama`.

Written from Ollama's API documentation and the behaviour of its server: the same paths, shapes, error texts and
statuses, memory on a card of a chosen size, and bad days on demand. It has no weights; it says what it is told to say,
or a short sentence. `ollama.oddities` has what the real one lets pass and a careful client does not send.
"""

from simulators.ollama.app import create_app
from simulators.ollama.config import Config
from simulators.ollama.handle import Ollama, running
from simulators.ollama.models import LIBRARY, Model, known
from simulators.ollama.names import parse
from simulators.ollama.replies import long_answer, says_its_system_prompt, says_the_users_text
from simulators.ollama.requests import Request

__all__ = [
    "LIBRARY",
    "Config",
    "Model",
    "Ollama",
    "Request",
    "create_app",
    "known",
    "long_answer",
    "parse",
    "running",
    "says_its_system_prompt",
    "says_the_users_text",
]
