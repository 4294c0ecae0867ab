// Records a voice message; the server takes what browsers make (WebM, Ogg or MP4).
export const LONGEST_S = 5 * 60;
const SHORTEST_S = 0.4;
const PIECE_MS = 1000;
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** reason: a name among words().microphone. */
export class NoRecording extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export class Recorder {
  /** onFull: it has stopped by itself, after five minutes or because the microphone went; it can still be taken. */
  constructor({ onFull }) {
    this.onFull = onFull;
    this.media = null;
  }

  get active() {
    return this.media !== null;
  }

  get seconds() {
    return ((this.stoppedAt ?? performance.now()) - this.startedAt) / 1000;
  }

  /** Throws NoRecording. */
  async start() {
    this.stream = await microphone();
    this.pieces = [];
    this.stoppedAt = null;
    try {
      this.media = this.started();
    } catch {
      this.mute();
      throw new NoRecording("unable");
    }
    this.startedAt = performance.now();
    this.timer = setTimeout(() => this.full(), LONGEST_S * 1000);
    this.listen(this.stream);
  }

  started() {
    const media = recorderOf(this.stream);
    media.ondataavailable = (event) => this.pieces.push(event.data);
    media.onstop = () => this.full();
    media.start(PIECE_MS);
    return media;
  }

  /** Loudness is shown where the browser can tell it. */
  listen(stream) {
    try {
      this.context = new AudioContext();
      this.context.resume().catch(() => {});
      this.analyser = this.context.createAnalyser();
      this.analyser.fftSize = 1024;
      this.context.createMediaStreamSource(stream).connect(this.analyser);
      this.samples = new Float32Array(this.analyser.fftSize);
    } catch {
      this.analyser = null;
    }
  }

  /** Loudness of this moment, 0 … 1 (1: −6 dB). */
  level() {
    if (!this.analyser || this.stoppedAt) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const decibels = 10 * Math.log10(power + 1e-9);
    return Math.min(1, Math.max(0, (decibels + 54) / 48));
  }

  full() {
    if (this.stoppedAt) return;
    this.halt();
    this.onFull();
  }

  /** Ends the recording, once; what was recorded stays. */
  halt() {
    if (this.stoppedAt) return;
    this.stoppedAt = performance.now();
    clearTimeout(this.timer);
    this.context?.close().catch(() => {});
    this.context = null;
    const { media } = this;
    this.whole = new Promise((resolve) => {
      if (media.state === "inactive") return resolve();
      media.onstop = resolve;
      media.stop();
    }).then(() => this.mute());
  }

  mute() {
    for (const track of this.stream.getTracks()) track.stop();
  }

  /** The recording and its seconds, to whoever asks first; throws NoRecording where there is hardly anything. */
  async take() {
    const { media, pieces } = this;
    this.halt();
    this.media = null;
    const seconds = this.seconds;
    await this.whole;
    if (seconds < SHORTEST_S || !pieces.some((piece) => piece.size)) throw new NoRecording("short");
    return { blob: new Blob(pieces, { type: media.mimeType }), seconds };
  }

  discard() {
    this.halt();
    this.media = null;
  }
}

async function microphone() {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoRecording(isSecureContext ? "unable" : "insecure");
  if (!window.MediaRecorder) throw new NoRecording("unable");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw new NoRecording(TROUBLES[error.name] ?? "unable");
  }
}

function recorderOf(stream) {
  const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
  return new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 32000 });
}
