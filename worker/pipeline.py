"""The six layers in order, and nothing else."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

from core.catalogue import Avatar, Catalogue, Voice
from core.errors import Cancelled, LayerError, NotFound
from core.kinds import TONE_OF, Layer, Mode, Tone
from core.storage import storage_errors
from worker.ahead import Ahead
from worker.deciding import speeds
from worker.deciding.budget import Budget
from worker.deciding.speeds import Speeds
from worker.drawing import Drawer
from worker.feeling import feel
from worker.gpu import EngineSet
from worker.guard import closed
from worker.hearing import Hearer
from worker.interrupting import interrupting
from worker.job import Job, Report
from worker.lending import Lender
from worker.parts import Parts
from worker.scene import Scene
from worker.speaking import Speaker
from worker.thinking import Thinker, spoken_language
from worker.timing.aligner import Aligner


class SmartTalkerPipeline:
    """Runs one job at a time; every result goes out through `report` as soon as it is whole. speeds: what it measures
    of its engines."""

    def __init__(self, engines: EngineSet, catalogue: Catalogue) -> None:
        self._engines = engines
        self._catalogue = catalogue
        self._aligner = Aligner()
        data = engines.place.data
        self.speeds = Speeds(None if data is None else data / speeds.FILE)

    def run(self, job: Job, report: Report, stop: threading.Event) -> None:
        """Raises Cancelled soon after `stop` is set, and LayerError where not even a text could be made."""
        with interrupting(stop, self._engines.interrupt):
            Run(self._engines, self._catalogue, self._aligner, self.speeds, job, report, stop).run()


class Run:
    """One job on its way through the layers."""

    def __init__(
        self,
        engines: EngineSet,
        catalogue: Catalogue,
        aligner: Aligner,
        speeds: Speeds,
        job: Job,
        report: Report,
        stop: threading.Event,
    ) -> None:
        self._budget = Budget(job.deadline_s, job.waiting)
        self._aligner = aligner
        self._speeds = speeds
        self._job = job
        self._report = report
        self._stop = stop
        self._avatar: Avatar = catalogue.avatar(job.avatar)
        self._voice = _voice(catalogue, job.voice, self._avatar)
        self._lender = Lender(engines, report, self._check, self._voice)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled

    def run(self) -> None:
        job, report = self._job, self._report
        heard = Hearer(job, report, self._check, self._lender, self._avatar.persona).run()
        mood = feel(job, report, self._lender, heard)
        self._check()
        tone = TONE_OF[mood.emotion]
        sentences = Thinker(job, report, self._lender, self._avatar.persona).sentences(heard, tone)
        if not job.speaks:
            with closed(sentences):
                for _ in sentences:
                    self._check()
            return
        with storage_errors():
            job.path.mkdir(parents=True, exist_ok=True)
        self._perform(sentences, heard.language, tone, mood.intensity)

    def _perform(self, answer: Iterator[str], language: str, tone: Tone, intensity: float) -> None:
        """Speech and picture run beside the language model, each in its own thread."""
        parts = Parts()
        scene = Scene(
            lender=self._lender,
            job=self._job,
            report=self._report,
            check=self._check,
            parts=parts,
            avatar=self._avatar,
            language=language,
            tone=tone,
            intensity=intensity,
            budget=self._budget,
            speeds=self._speeds,
        )
        drawer = Drawer(scene)
        drawing = threading.Thread(target=drawer.run, name="drawing", daemon=True)
        if Mode.VIDEO in self._job.modes:
            drawing.start()
        try:
            with closed(Ahead(parts.promised(answer), "thinking")) as sentences:
                self._speak(parts, sentences, language, tone, intensity)
            parts.end()
        except BaseException as error:
            parts.end(error)
            if not isinstance(error, LayerError) or error.layer is not Layer.TTS:
                raise
        finally:
            if drawing.ident is not None:
                drawing.join()
        self._check()
        drawer.raise_fatal()

    def _speak(self, parts: Parts, answer: Iterator[str], wanted: str, tone: Tone, intensity: float) -> None:
        """The language is decided by the first sentence: a model may answer in another one than it was told to."""
        first = list(itertools.islice(answer, 1))
        language = spoken_language(first[0], wanted) if first else wanted
        speaker = Speaker(self._job, self._report, self._check, self._lender, parts, self._aligner)
        sentences = itertools.chain(first, answer)
        try:
            speaker.run(self._voice, sentences, language, tone, intensity)
        except LayerError as error:
            if error.layer is not Layer.TTS:
                raise
            for _ in sentences:
                self._check()
            raise


def _voice(catalogue: Catalogue, chosen: str | None, avatar: Avatar) -> Voice:
    """The chosen one; the avatar's own where it has none, or it was removed since. Raises NotFound,
    ConfigurationError."""
    try:
        return catalogue.voice(chosen or avatar.voice)
    except NotFound:
        return catalogue.voice(avatar.voice)
