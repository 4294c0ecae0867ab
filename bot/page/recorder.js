// Records a voice message; the server takes what browsers make (WebM, Ogg or MP4).
const LONGEST_MS = 5 * 60 * 1000;
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

export class Recorder {
  /** onDone is told of the recording when it stops, by the person or after five minutes. */
  constructor(onDone) {
    this.onDone = onDone;
  }

  get active() {
    return this.media?.state === "recording";
  }

  async start() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const pieces = [];
    this.media = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 32000 });
    this.media.ondataavailable = (event) => pieces.push(event.data);
    this.media.onstop = () => {
      clearTimeout(this.timer);
      stream.getTracks().forEach((track) => track.stop());
      this.onDone(new Blob(pieces, { type: this.media.mimeType }));
    };
    this.media.start();
    this.timer = setTimeout(() => this.stop(), LONGEST_MS);
  }

  stop() {
    if (this.active) this.media.stop();
  }
}
