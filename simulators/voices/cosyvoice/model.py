"""Speech tokens to sound, in pieces."""

from __future__ import annotations

import threading
import time
import uuid as uuids
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from simulators.voices.cosyvoice.llm import CosyVoice3LM
from simulators.voices.faults import Fault
from simulators.voices.signatures import COMPUTED, upstream
from simulators.voices.speech import Sound
from simulators.voices.tensor import Tensor

_NO_TOKENS = (
    "Calculated padded input size per channel: (0). Kernel size: (4). Kernel size can't be greater than actual input"
    " size"
)
_POLL_S = 0.01
_NONE = Tensor(np.zeros((1, 0), np.int32))


@upstream("cosyvoice.cli.model", "CosyVoice3Model")
class CosyVoice3Model:
    """A thread makes tokens while its caller's makes sound of them; what the thread raises is lost, as upstream."""

    def __init__(self, llm: CosyVoice3LM, flow: Any, hift: Any, fp16: bool) -> None:
        self.device = "cpu"
        self.llm, self.flow, self.hift, self.fp16 = llm, flow, hift, fp16
        self.token_hop_len = 25
        self.token_max_hop_len = 4 * self.token_hop_len
        self.stream_scale_factor = 2
        self.lock = threading.Lock()
        self.tts_speech_token_dict: dict[str, list[int]] = {}
        self.llm_end_dict: dict[str, bool] = {}
        self.hift_cache_dict: dict[str, Any] = {}
        self.silent_tokens: list[int] = []
        self.fault: Fault | None = None

    def llm_job(
        self, text: Tensor, prompt_text: Tensor, llm_prompt_speech_token: Tensor, llm_embedding: Any, uuid: str
    ) -> None:
        self.llm.fault = self.fault
        tokens = self.llm.inference(
            text=text,
            text_len=Tensor([text.shape[1]]),
            prompt_text=prompt_text,
            prompt_text_len=Tensor([prompt_text.shape[1]]),
            prompt_speech_token=llm_prompt_speech_token,
            prompt_speech_token_len=Tensor([llm_prompt_speech_token.shape[1]]),
            embedding=llm_embedding,
            sampling=25,
            max_token_text_ratio=20,
            min_token_text_ratio=2,
            uuid=uuid,
        )
        for token in tokens:
            self.tts_speech_token_dict[uuid].append(token)
        self.llm_end_dict[uuid] = True

    def token2wav(
        self,
        token: Tensor,
        prompt_token: Tensor,
        prompt_feat: Tensor,
        embedding: Any,
        token_offset: int,
        uuid: str,
        stream: bool,
        finalize: bool,
        speed: float,
    ) -> Tensor:
        if not token.shape[1]:
            raise RuntimeError(_NO_TOKENS)
        end = token.shape[1] if finalize else token.shape[1] - self.flow.pre_lookahead_len
        sound = self.llm._taken(uuid, token_offset, end)
        if speed != 1.0:
            if token_offset or not finalize:
                raise AssertionError("speed change only support non-stream inference mode")
            sound = _paced(sound, speed)
        return Tensor(sound[None])

    def tts(
        self,
        text: Tensor,
        flow_embedding: Any,
        llm_embedding: Any,
        prompt_text: Tensor,
        llm_prompt_speech_token: Tensor,
        flow_prompt_speech_token: Tensor,
        prompt_speech_feat: Tensor,
        source_speech_token: Tensor,
        stream: bool,
        speed: float,
        **kwargs: Any,
    ) -> Iterator[dict[str, Tensor]]:
        uuid = str(uuids.uuid1())
        self.tts_speech_token_dict[uuid], self.llm_end_dict[uuid] = [], False
        self.hift_cache_dict[uuid] = None
        given = [_NONE if each is COMPUTED else each for each in (prompt_text, llm_prompt_speech_token)]
        print_ = flow_embedding if llm_embedding is COMPUTED else llm_embedding
        thread = threading.Thread(target=self.llm_job, args=(text, *given, print_, uuid))
        thread.start()

        def cut(end: int | None, offset: int, **more: Any) -> dict[str, Tensor]:
            token = Tensor(np.array([self.tts_speech_token_dict[uuid][:end]]))
            where = (flow_prompt_speech_token, prompt_speech_feat, flow_embedding, offset, uuid)
            return {"tts_speech": self.token2wav(token, *where, **more)}

        offset = 0
        if stream is True:
            pad = -flow_prompt_speech_token.shape[1] % self.token_hop_len
            for offset, end in self._hops(uuid, pad):
                yield cut(end, offset, stream=True, finalize=False)
                offset = end - self.flow.pre_lookahead_len
        thread.join()
        yield cut(None, offset, finalize=True, **({} if stream is True else {"speed": speed}))
        for table in (self.tts_speech_token_dict, self.llm_end_dict, self.hift_cache_dict):
            table.pop(uuid)

    def _hops(self, uuid: str, pad: int) -> Iterator[tuple[int, int]]:
        """(first token, one after the last with the look ahead) of each piece but the last. Where the thread has died
        it waits for ever, as upstream. token_hop_len grows from sentence to sentence, as upstream."""
        offset, ahead = 0, self.flow.pre_lookahead_len
        while True:
            time.sleep(_POLL_S)
            hop = self.token_hop_len + (pad if offset == 0 else 0)
            count = len(self.tts_speech_token_dict[uuid])
            if count - offset >= hop + ahead:
                yield offset, offset + hop + ahead
                offset += hop
                self.token_hop_len = min(self.token_max_hop_len, self.token_hop_len * self.stream_scale_factor)
            if self.llm_end_dict[uuid] is True and len(self.tts_speech_token_dict[uuid]) - offset < hop + ahead:
                return


def _paced(sound: Sound, speed: float) -> Sound:
    count = int(len(sound) / speed)
    return np.asarray(np.interp(np.arange(count) * speed, np.arange(len(sound)), sound), np.float32)


def flow() -> Any:
    """What callers know of the flow model."""
    return SimpleNamespace(pre_lookahead_len=3, token_mel_ratio=2, input_frame_rate=25)
