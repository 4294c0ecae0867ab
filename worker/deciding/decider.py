"""One turn's choice of what draws its picture: made, made again when more is known, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import LayerError
from core.kinds import Layer
from worker.deciding.budget import length
from worker.deciding.candidates import Casting, Terms
from worker.deciding.choosing import Candidate, Choice, LeftOut, Why, choose
from worker.deciding.guard import Guard, TooSlow
from worker.scene import Scene

PLAIN = "lanczos"
"""The engine that enlarges frames in no time."""
DIED = "the process died while it drew"


class Decider:
    """Used by the thread that draws."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._casting = Casting(scene.lender, Terms(scene.avatar, scene.canvas, scene.language), scene.speeds)
        cast = self._casting.cast()
        self._candidates = cast.candidates
        self._left_out = cast.left_out
        self._avoid(scene.job.avoid)
        self._best = self._candidates[0] if self._candidates else None
        self._instead = None if self._is_settings_own() else Why.STANDS_IN
        self._only = len(self._candidates) == 1 and not self._left_out
        self._usual_s = None if self._only else scene.speeds.of(self._casting.length_key())
        self._told: Choice | None = None

    def _avoid(self, engines: Sequence[str]) -> None:
        """As long as others are left."""
        for engine in engines:
            drawing = {each.video for each in self._candidates}
            if engine in drawing and len(drawing) > 1:
                self._leave_out(engine, DIED)

    def _is_settings_own(self) -> bool:
        name = self._scene.lender.name(Layer.VIDEO, self._scene.language)
        return self._best is not None and self._best.video == name

    @property
    def refused(self) -> LeftOut | None:
        """Where no engine draws this avatar the last that was asked."""
        return self._left_out[-1] if self._best is None and self._left_out else None

    def likely(self) -> Candidate | None:
        """What `choose` would say now."""
        return self._chosen()[0] if self._candidates else None

    def choose(self) -> Candidate | None:
        """By what is known now; None where nothing is left. Told wherever there was anything to choose."""
        if self._only:
            return next(iter(self._candidates), None)
        budget_s, length_s = self._scene.budget.seconds(), self.length_s
        if not self._candidates:
            self._tell(Choice(None, None, Why.NONE, budget_s, 0.0, tuple(self._left_out)))
            return None
        candidate, why, late = self._chosen()
        if self._instead and why in (Why.NO_DEADLINE, Why.IN_TIME):
            why = self._instead
        left_out = (*self._left_out, *late)
        self._tell(Choice(candidate.video, candidate.upscale, why, budget_s, candidate.seconds(length_s), left_out))
        return candidate

    def _chosen(self, but: str | None = None) -> tuple[Candidate, Why, tuple[LeftOut, ...]]:
        """Of all that are left (at least one) but one engine's."""
        left = [self._casting.now(each) for each in self._candidates if each.video != but]
        return choose(left, self.length_s, self._scene.budget.seconds())

    @property
    def length_s(self) -> float:
        """Of the clip, as far as it is known."""
        return length(self._scene.parts, self._usual_s)

    def then(self, engine: str) -> str | None:
        """The engine that draws where this one fails; None: nothing does."""
        if all(each.video == engine for each in self._candidates):
            return None
        return self._chosen(but=engine)[0].video

    def failed(self, engine: str, error: LayerError) -> None:
        """It draws no more in this turn."""
        self._drop(engine, f"failed: {error.cause}", Why.STANDS_IN)

    def enlarging_failed(self) -> None:
        """Frames stay as they are drawn."""
        self._candidates = [each for each in self._candidates if each.upscale is None]
        self._instead = Why.STANDS_IN

    def too_slow(self, candidate: Candidate, error: TooSlow) -> None:
        """It draws no more in this turn, and the next ones know."""
        self._drop(candidate.video, f"too slow: {error.seconds:.0f} s", Why.FASTER)
        self._casting.remember_load(Layer.VIDEO, candidate.video)
        if error.pace_s is not None:
            self._scene.speeds.add_slow(self._casting.video_key(candidate.video), error.pace_s)

    def _drop(self, engine: str, why: str, instead: Why) -> None:
        """instead: why what is best of the rest is taken."""
        self._leave_out(engine, why)
        self._instead = instead

    def _leave_out(self, engine: str, why: str) -> None:
        self._candidates = [each for each in self._candidates if each.video != engine]
        self._left_out.append(LeftOut(engine, why))

    def check(self, candidate: Candidate) -> None:
        """Now that all is spoken: raises TooSlow where another engine is to draw such an answer."""
        if self._only or self._scene.budget.left_s is None:
            return
        if self._chosen()[0].video != candidate.video:
            raise TooSlow(candidate.video, None, candidate.seconds(self.length_s))

    def guard(self, candidate: Candidate) -> Guard | None:
        """None where nothing could be done about a clip that is late."""
        if self._only:
            return None
        others = [each for each in self._candidates if each.video != candidate.video]

        def others_s(length_s: float) -> float | None:
            return min((self._casting.now(each).seconds(length_s) for each in others), default=None)

        return Guard(candidate, self._scene.budget.seconds(), lambda: self.length_s, others_s)

    def enlarging_dropped(self, candidate: Candidate, upscale: str, guard: Guard) -> None:
        """The rest of the clip is enlarged plainly; the next turns know how long it would have taken."""
        pace_s = guard.enlarged.seconds
        if pace_s is not None:
            self._scene.speeds.add_slow(self._casting.upscale_key(upscale, candidate.video), pace_s)
        if self._told is not None:
            self._tell(replace(self._told, upscale=PLAIN, why=Why.ENLARGING_LATE))

    def drawn(self, candidate: Candidate, guard: Guard | None, clip_s: float, drawing_s: float) -> None:
        """Remembers what a whole clip took; drawing_s: the engine's own seconds."""
        if guard is None or clip_s <= 0:
            return
        pace_s = max(drawing_s - guard.once_s, 0.0) / clip_s
        self._scene.speeds.add(self._casting.video_key(candidate.video), pace_s, clip_s)
        self._scene.speeds.add(self._casting.length_key(), clip_s, clip_s)
        self._casting.remember_load(Layer.VIDEO, candidate.video)

    def enlarged(self, candidate: Candidate, upscale: str, clip_s: float, enlarging_s: float) -> None:
        """As `drawn`, of so much of the clip as this engine enlarged."""
        if not self._only and clip_s > 0:
            key = self._casting.upscale_key(upscale, candidate.video)
            self._scene.speeds.add(key, enlarging_s / clip_s, clip_s)
            self._casting.remember_load(Layer.UPSCALE, upscale)

    def _tell(self, choice: Choice) -> None:
        self._told = choice
        self._scene.report("choice", **choice.told())
