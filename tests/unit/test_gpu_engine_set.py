"""Engines on simulated cards: what is loaded, what leaves, and what is said where there is no room."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from core.errors import LAYER_ERRORS, ConfigurationError, LayerError, LLMError, ModelMissing, TTSError
from core.kinds import Layer
from tests.simulated_card import Model, OutOfMemoryError, SimulatedCard, machine
from worker.engines.base import Needs
from worker.gpu import engine_set
from worker.gpu.slots import Slots

GB = 1024
SIZES = {"asr": 3000, "llm": 10748, "tts": 4710, "video": 4096, "upscale": 3072}
SMALL = {**SIZES, "llm": 4174}
HEAVY = {**SIZES, "video": 18432}


def model(card: SimulatedCard | None, layer: Layer, mb: int, name: str = "model", **more: object) -> Model:
    """Takes what it declares, unless it is told otherwise."""
    exclusive = bool(more.pop("exclusive", False))
    return Model(card, layer, name, Needs(gpu_mb=mb, exclusive=exclusive), **{"takes": mb, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gb", "sizes", "uses", "moves"),
    [
        # All fits: 3,000 + 10,748 + 4,710 + 512 of 24,576.
        (24, SIZES, ["asr llm tts", "asr llm tts"], ["+asr +llm +tts", ""]),
        (48, HEAVY, ["asr llm tts video upscale"] * 2, ["+asr +llm +tts +video +upscale", ""]),
        # MuseTalk beside LLM and TTS: 22,554, and 3,072 for upscaling would be 25,626, so the ear leaves.
        (
            24,
            SIZES,
            ["asr llm tts video upscale"] * 2,
            ["+asr +llm +tts +video -asr +upscale", "-upscale +asr -asr +upscale"],
        ),
        # Video that needs nearly all: whatever there is leaves and comes back in the next turn.
        (
            24,
            HEAVY,
            ["asr llm tts video"] * 2,
            ["+asr +llm +tts -asr -llm +video", "-video +asr +llm -asr -llm +video"],
        ),
        # The least recently used leaves first, and nobody leaves in vain: 3,000 of ASR would not have done.
        (16, SMALL, ["asr llm tts", "video"], ["+asr +llm +tts", "-asr +video"]),
        (16, {"asr": 1000, "llm": 8000, "video": 10000}, ["asr llm", "video"], ["+asr +llm", "-llm +video"]),
        (12, SMALL, ["asr llm", "tts", "llm", "asr"], ["+asr +llm", "-asr +tts", "", "-tts +asr"]),
        # One at a time.
        (8, {**SMALL, "asr": 6000}, ["asr llm tts asr"], ["+asr -asr +llm -llm +tts -tts +asr"]),
        # What needs nothing of the card neither leaves nor makes others leave.
        (8, {"asr": 3000, "emotion": 0, "llm": 5555}, ["emotion asr llm emotion"], ["+emotion +asr -asr +llm"]),
    ],
)
def test_uses_and_what_they_move(gb: int, sizes: dict[str, int], uses: list[str], moves: list[str]) -> None:
    box = machine(gb * GB, **sizes)
    assert [" ".join(box.use(*each.split())) for each in uses] == moves
    assert box.card is not None
    assert box.card.refused == 0
    assert box.card.most_mb <= gb * GB


def test_an_exclusive_engine_has_the_card_to_itself() -> None:
    card = SimulatedCard(48 * GB)
    box = machine(card, model(card, Layer.VIDEO, 13000, exclusive=True), **{"asr": 3000, "llm": 10748, "emotion": 0})
    box.use("asr", "llm", "emotion")
    assert box.use("video") == ["-asr", "-llm", "+video"]
    assert box.use("llm") == ["-video", "+llm"]


def test_without_a_card_everything_stays() -> None:
    box = machine(None, **HEAVY)
    assert len(box.use(*HEAVY)) == len(HEAVY)
    assert box.use(*HEAVY) == []


def test_too_big_for_the_card() -> None:
    box = machine(8 * GB, llm=10748)
    with pytest.raises(LLMError, match=r"model needs 10,748 MiB of simulated .* the card has 8,192") as caught:
        box.use("llm")
    assert caught.value.exhausted
    with pytest.raises(ConfigurationError, match=r"llm engine model needs 10,748 MiB .* has 8,192"):
        box.set.check(("ar", "en"))


def test_other_programs_hold_the_rest() -> None:
    box = machine(SimulatedCard(24 * GB, others_mb=12000), **SIZES)
    assert box.use("asr", "llm") == ["+asr", "-asr", "+llm"]
    with pytest.raises(TTSError, match="other programs"):
        machine(SimulatedCard(24 * GB, others_mb=20000), **SIZES).use("tts")


def test_what_comes_back_late_is_waited_for() -> None:
    card = SimulatedCard(16 * GB, slow_s=0.06)
    box = machine(card, model(card, Layer.LLM, 10748, elsewhere=True), tts=4710, video=9000)
    box.use("llm", "tts")
    assert box.use("video") == ["-llm", "+video"]
    assert card.refused == 0


def test_memory_that_never_comes_back_sends_more_away() -> None:
    """The dropped engine's memory is missed, so the next in line leaves too; it is made anew when it is wanted."""
    card = SimulatedCard(16 * GB)
    stuck = model(card, Layer.LLM, 6000, stuck=True)
    box = machine(card, stuck, asr=3000, tts=4710, video=4096)
    box.use("llm", "asr", "tts")
    assert box.use("video") == ["!llm", "-llm", "-asr", "+video"]
    assert box.made[Layer.LLM, "model"] == 1
    stuck.stuck, stuck.held = False, 0
    assert box.use("llm") == ["-video", "-tts", "+llm"]
    assert box.made[Layer.LLM, "model"] == 2


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"),
        MemoryError(),
        LLMError("Ollama: out of memory", exhausted=True),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_load_that_runs_out_is_done_again_alone(error: BaseException) -> None:
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, fails=[error]), asr=3000, tts=4710)
    assert box.use("asr", "tts", "llm") == ["+asr", "+tts", "!llm", "-asr", "-tts", "+llm"]
    assert card.used_mb == 8000
    assert box.told[2] == {"kind": "exhausted", "layer": "llm", "engine": "model", "during": "load"}


def test_a_load_that_runs_out_twice_is_given_up() -> None:
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, fails=[MemoryError(), MemoryError()]), asr=3000)
    with pytest.raises(LLMError, match="MemoryError") as caught:
        box.use("asr", "llm")
    assert caught.value.exhausted
    assert card.used_mb == 0
    box.use("llm")
    assert card.used_mb == 8000


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelMissing("fetch it"), ModelMissing),
        (LLMError("Ollama does not answer"), LLMError),
        (KeyError("weight"), LLMError),
    ],
)
def test_a_load_that_fails_otherwise(error: BaseException, kind: type[Exception]) -> None:
    """Nobody leaves for it, what it took is given back, and the next use tries again."""
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, fails=[error]), asr=3000)
    box.use("asr")
    with pytest.raises(kind):
        box.use("llm")
    assert (box.loaded, card.used_mb) == ({"asr"}, 3000)
    assert box.use("llm") == ["+llm"]


def test_work_that_runs_out_is_done_again_alone() -> None:
    card = SimulatedCard(16 * GB)
    box = machine(card, model(card, Layer.TTS, 4710, works=4000), llm=9000)
    box.use("llm")
    assert box.set.run(Layer.TTS, "model", _at_work) == "done"
    assert box.events[1:] == [("engine_loaded", "tts"), ("exhausted", "tts"), ("engine_evicted", "llm")]


def test_work_that_runs_out_alone_is_given_up() -> None:
    card = SimulatedCard(8 * GB)
    box = machine(card, model(card, Layer.TTS, 4710, works=4000))
    with pytest.raises(TTSError, match="out of memory") as caught:
        box.set.run(Layer.TTS, "model", _at_work)
    assert caught.value.exhausted
    assert card.refused == 2


def test_work_that_fails_otherwise_is_not_done_again() -> None:
    calls = []

    def act(engine: Model) -> None:
        calls.append(engine)
        raise TTSError("a word that it can't say")

    box = machine(24 * GB, **SIZES)
    box.use("llm")
    with pytest.raises(TTSError, match="a word"):
        box.set.run(Layer.TTS, "model", act)
    assert (len(calls), box.loaded) == (1, {"llm", "tts"})


def test_more_is_reserved_for_what_ran_out() -> None:
    """5,000 and a quarter is 6,250: beside 9,800 of the LLM it would not fit a second time."""
    card = SimulatedCard(16 * GB)
    box = machine(card, model(card, Layer.TTS, 5000, works=2000), llm=9800)
    box.use("llm")
    box.set.run(Layer.TTS, "model", _at_work)
    assert box.use("llm") == ["-tts", "+llm"]


def test_what_was_measured_counts_where_it_is_more() -> None:
    """8,000 and 5,000 would fit together; 11,000 and 5,000 don't, also when both are gone."""
    card = SimulatedCard(16 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, takes=11000, elsewhere=True), tts=5000)
    assert box.set.along(Layer.TTS)
    box.use("llm")
    box.set.unload()
    assert not box.set.along(Layer.TTS)
    assert box.use("llm", "tts") == ["+llm", "-llm", "+tts"]


@pytest.mark.parametrize(("elsewhere", "worn"), [(False, True), (True, False)])
def test_memory_of_this_process_comes_back_with_a_new_one(elsewhere: bool, worn: bool) -> None:
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, stuck=True, elsewhere=elsewhere), tts=4710)
    box.use("llm", "tts")
    assert not box.set.worn
    box.set.unload()
    assert box.set.worn is worn


def test_a_broken_card_needs_a_new_process() -> None:
    box = machine(24 * GB, tts=4710)
    for told, worn in [("a word", False), ("CUDA error: device-side assert triggered", True), ("a word", True)]:
        with pytest.raises(TTSError), box.set.using(Layer.TTS, "model"):
            raise TTSError("voice: RuntimeError") from RuntimeError(told)
        assert box.set.worn is worn


def test_splinters_are_no_room() -> None:
    """4,000 MiB are free and nothing fits into them: what the driver says is believed in the end."""
    card = SimulatedCard(16 * GB, splinters_mb=4000)
    box = machine(card, asr=7000, tts=7000)
    assert box.use("asr", "tts") == ["+asr", "!tts", "-asr", "+tts"]


def test_two_threads_load_an_engine_once() -> None:
    card = SimulatedCard(24 * GB)
    slow = model(card, Layer.LLM, 8000, load_s=0.1)
    box = machine(card, slow)
    _together(*[lambda: box.use("llm")] * 8)
    assert slow.loads == 1


def test_a_load_holds_up_nobody_who_uses_what_is_loaded() -> None:
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, load_s=0.3), asr=3000, emotion=0)
    box.use("asr")
    loading = threading.Thread(target=box.use, args=("llm",))
    loading.start()
    began = time.monotonic()
    box.use("asr", "emotion")
    assert time.monotonic() - began < 0.2
    assert loading.is_alive()
    loading.join()


def test_speech_waits_for_the_answer_and_takes_its_place() -> None:
    box = machine(8 * GB, llm=5555, tts=4710)
    done = []
    with box.set.using(Layer.LLM, "model"):
        speaking = threading.Thread(target=lambda: done.append(box.use("tts")))
        speaking.start()
        time.sleep(0.05)
        assert not done
        assert not box.set.along(Layer.TTS)
    speaking.join(2)
    assert done == [["-llm", "+tts"]]


def test_the_answer_does_not_wait_for_the_picture() -> None:
    """A picture waits for speech, which waits for the answer: it would wait for ever."""
    box = machine(16 * GB, llm=10748, video=6000)
    failed: list[LayerError | None] = []
    with box.set.using(Layer.VIDEO, "model"):
        began = time.monotonic()
        _together(lambda: failed.append(_error(lambda: box.use("llm"))))
        assert time.monotonic() - began < 1.0
    (error,) = failed
    assert isinstance(error, LLMError)
    assert error.exhausted
    assert "video/model must stay" in str(error)


def test_nobody_waits_for_itself() -> None:
    box = machine(8 * GB, video=5000, upscale=3072)
    with box.set.using(Layer.VIDEO, "model"), pytest.raises(LayerError, match="video/model must stay"):
        box.use("upscale")


def test_what_is_in_use_can_t_be_claimed() -> None:
    """Somebody may begin to use an engine between the choice of who leaves and its leaving."""
    slots = Slots(lambda layer, name: Model(None, layer, name))
    slot = slots.of(Layer.TTS, "model")
    assert not slots.take(slot)
    slots.moved(slot, ready=True, held=True)
    assert not slots.claim(slot)
    slots.release(slot)
    assert slots.claim(slot)
    assert not slots.claim(slot)


@pytest.mark.parametrize(("hangs_s", "loads"), [(0.0, 1), (60.0, 2)])
def test_what_hung_is_not_waited_for_between_turns(hangs_s: float, loads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_set, "HANGS_S", hangs_s)
    hangs = Model(None, Layer.LLM, fails=[LLMError(), LLMError()])
    box = machine(None, hangs)
    with pytest.raises(LLMError):
        box.use("llm")
    box.set.prepare()
    assert hangs.loads == loads
    hangs.fails.clear()
    box.use("llm")
    box.set.unload()
    box.set.prepare()
    assert (Layer.LLM, "model") in box.set.loaded()


def test_a_wait_ends_when_the_turn_is_cancelled() -> None:
    """Within the time that a look takes, and whoever comes then waits anew."""
    box = machine(12 * GB, llm=9000, tts=4710, wait_s=60)
    failed: list[LayerError] = []
    with box.set.using(Layer.LLM, "model"):
        for _ in range(2):
            thread = threading.Thread(target=lambda: failed.append(_error(lambda: box.use("tts"))))
            thread.start()
            time.sleep(0.1)
            assert thread.is_alive()
            box.set.interrupt()
            thread.join(2)
            assert not thread.is_alive()
    assert [each.exhausted for each in failed] == [True, True]
    assert box.use("tts") == ["-llm", "+tts"]


def test_a_wait_ends() -> None:
    box = machine(8 * GB, llm=5555, tts=4710, wait_s=0.1)
    with box.set.using(Layer.LLM, "model"):
        failed = []
        thread = threading.Thread(target=lambda: failed.append(_error(lambda: box.use("tts"))))
        thread.start()
        thread.join(2)
    assert "waited 0.1 s for llm/model" in str(failed[0])


@pytest.mark.parametrize(
    ("gb", "sizes", "layer", "along"),
    [
        (24, SIZES, Layer.TTS, True),
        (24, SIZES, Layer.VIDEO, True),  # 10,748 + 4,710 + 4,096 + 3,072 + 512 = 23,138
        (16, SIZES, Layer.TTS, True),  # 15,970
        (16, SIZES, Layer.VIDEO, False),
        (24, HEAVY, Layer.VIDEO, False),
        (48, HEAVY, Layer.VIDEO, True),
        (12, SIZES, Layer.TTS, False),
        (8, {**SMALL, "video": 0, "upscale": 0}, Layer.VIDEO, True),  # drawn by the CPU
        (8, {"tts": 4710}, Layer.TTS, True),
        (8, {"asr": 6000, "tts": 4710, "llm": 0}, Layer.TTS, True),  # the ear is done by then
    ],
)
def test_along(gb: int, sizes: dict[str, int], layer: Layer, along: bool) -> None:
    box = machine(gb * GB, **{each.value: sizes.get(each.value, 0) for each in Layer})
    assert box.set.along(layer) is along
    box.use("llm", "tts")
    assert box.set.along(layer) is along


def test_along_sees_what_others_hold() -> None:
    box = machine(SimulatedCard(24 * GB, others_mb=2000), emotion=0, **SIZES)
    assert not box.set.along(Layer.VIDEO)
    assert box.set.along(Layer.TTS)


def test_an_exclusive_engine_is_never_along() -> None:
    for card in (None, SimulatedCard(80 * GB)):
        video = model(card, Layer.VIDEO, 13000, exclusive=True)
        assert not machine(card, video, emotion=0, llm=1, tts=1, upscale=0).set.along(Layer.VIDEO)


@pytest.mark.parametrize(
    ("gb", "sizes", "loaded"),
    [
        (24, HEAVY, "asr llm tts"),
        (24, SIZES, "asr llm tts video"),  # 22,554; upscaling has no room beside them
        (48, HEAVY, "asr llm tts video upscale"),
        (12, SMALL, "asr llm"),
        (8, HEAVY, "asr"),
    ],
)
def test_warm_up(gb: int, sizes: dict[str, int], loaded: str) -> None:
    box = machine(gb * GB, **{"emotion": 0, **sizes})
    box.set.warm_up(("ar", "en"))
    assert box.loaded == {"emotion", *loaded.split()}
    assert not [event for event in box.events if event[0] != "engine_loaded"]


def test_warm_up_leaves_what_is_away_to_the_turn() -> None:
    card = SimulatedCard(24 * GB)
    away = model(card, Layer.LLM, 8000, fails=[LLMError("Ollama does not answer")])
    box = machine(card, away, asr=3000, emotion=0, tts=4710, video=0, upscale=0)
    box.set.warm_up(("ar",))
    assert box.loaded == {"asr", "emotion", "tts", "video", "upscale"}
    away.fails = [ModelMissing("fetch it")]
    with pytest.raises(ModelMissing):
        box.set.warm_up(("ar",))


def test_warm_up_has_each_languages_own() -> None:
    card = SimulatedCard(24 * GB)
    voices = [model(card, Layer.TTS, 4710, "voice-en"), model(card, Layer.TTS, 8192, "voice-ar")]
    box = machine(card, *voices, asr=0, emotion=0, llm=4174, video=0, upscale=0)
    box.set.warm_up(("ar", "en"))
    assert {name for layer, name in box.set.loaded() if layer is Layer.TTS} == {"voice-en", "voice-ar"}


@pytest.mark.parametrize(
    ("gb", "sizes", "moves"),
    [
        (24, HEAVY, "-upscale +asr -video +llm +tts"),
        (48, HEAVY, ""),
        (12, SMALL, "+asr -upscale +llm"),  # beside the ear; a voice of 4,710 does not fit there too
        (8, {"asr": 3000, "llm": 10748, "tts": 4000, "video": 4096}, "-video +tts"),
    ],
)
def test_what_comes_back_between_turns(gb: int, sizes: dict[str, int], moves: str) -> None:
    box = machine(gb * GB, emotion=0, **sizes)
    box.use("emotion", *(layer for layer, mb in sizes.items() if mb < gb * GB))
    before = len(box.told)
    box.set.prepare()
    came = [f"{'+' if told['kind'] == 'engine_loaded' else '-'}{told['layer']}" for told in box.told[before:]]
    assert " ".join(came) == moves


def test_the_end() -> None:
    """All leave, and one that fails to does not keep the others."""
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, stuck=True), asr=3000, tts=4710)
    box.use("asr", "llm", "tts")
    box.set.unload()
    assert (box.set.loaded(), card.used_mb) == ((), 8000)


def _at_work(engine: Model) -> str:
    with engine.use():
        return "done"


def _error(action: Callable[[], object]) -> LayerError | None:
    try:
        action()
    except tuple(LAYER_ERRORS.values()) as error:
        return error
    return None


def _together(*actions: Callable[[], object]) -> None:
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_cost_counts_every_process() -> None:
    card = SimulatedCard(24 * GB)
    box = machine(card, model(card, Layer.LLM, 8000, elsewhere=True), model(card, Layer.TTS, 4000, works=500))
    box.use("llm")
    with box.set.meter() as cost:
        box.use("tts")
    assert cost.gpu_mb == 8000 + 4000 + 500
