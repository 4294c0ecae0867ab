// Only one thing speaks at a time: what begins to play silences the rest.
const SPEAKS = "audio, video.video";

const RECORDS = '#composer[data-mode="record"]';

/** Whether something is heard, or listens and would hear it. */
export const speaking = () => Boolean(document.querySelector(RECORDS)) || [...document.querySelectorAll(SPEAKS)].some((each) => !each.paused);

export function silence(but = null) {
  for (const each of document.querySelectorAll(SPEAKS)) if (each !== but) each.pause();
}

document.addEventListener("play", (event) => event.target.matches(SPEAKS) && silence(event.target), true);
