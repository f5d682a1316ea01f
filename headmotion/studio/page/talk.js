// The page of a saved talk: one file with the picture, the motion and the sound inside.

import { Motion, Retarget } from "./motion.js";
import { PortraitCanvas } from "./portrait_canvas.js";

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
const { face, motion: packet, sound } = JSON.parse(page.talk.textContent);

const motion = new Motion(packet);
const retarget = new Retarget(motion.reference, face);
const picture = await (await fetch(face.picture)).blob();
const image = await createImageBitmap(picture, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
const portrait = new PortraitCanvas(page.portrait, face, image);
const speech = new Audio(sound);
let drawn = -1;

function draw() {
  const frame = motion.frameAt(speech.currentTime);
  if (frame !== drawn) portrait.draw(retarget.apply(motion.pose((drawn = frame))));
  if (document.activeElement !== page.position) page.position.value = speech.currentTime;
  requestAnimationFrame(draw);
}

function show() {
  document.body.classList.toggle("playing", !speech.paused);
  page.play.setAttribute("aria-label", speech.paused ? "Play" : "Pause");
}

page.position.max = motion.frames / motion.fps;
page.position.addEventListener("input", () => (speech.currentTime = Number(page.position.value)));
for (const part of [page.play, page.portrait]) part.addEventListener("click", () => (speech.paused ? speech.play() : speech.pause()));
for (const name of ["play", "pause", "ended"]) speech.addEventListener(name, show);
show();
draw();
document.body.dataset.ready = "yes"; // for tests
