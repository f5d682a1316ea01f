// Requests to the server of the studio.

import * as client from "./headmotion.js";

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The studio's server does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Error(problem.message ?? `The server answers with status ${answer.status}.`);
}

const post = (path, body) => ask(path, { method: "POST", body: body instanceof FormData ? body : JSON.stringify(body) });

function form(file, name, options) {
  const fields = new FormData();
  fields.append(name, file, name);
  fields.append("options", JSON.stringify(options));
  return fields;
}

/** What the server offers: models, faces, formats, renderers. */
export const info = async () => (await ask("/studio/info")).json();

/** A face: a picture (Blob), or the name of one that the server has. */
export async function face(source, crop) {
  const answer = source instanceof Blob
    ? await post("/studio/faces", form(source, "picture", { crop }))
    : await post(`/studio/faces/${encodeURIComponent(source)}`, { crop });
  return answer.json();
}

/** Motion for speech (Blob of a WAV). Options: face, model, seed. */
export const take = async (speech, options) => (await post("/studio/takes", form(speech, "audio", options))).json();

/** The motion of a take after controls. */
export const motion = async (name, controls) => (await post(`/studio/takes/${name}/motion`, { controls })).json();

/** A take as a file. */
export const file = async (name, options) => (await post(`/studio/takes/${name}/file`, options)).blob();

/** A spoken text, as the bytes of a WAV. */
export const speak = async (text, voice) => (await post("/studio/speech", { text, voice })).arrayBuffer();

/** AV-Conf of a take after controls, per level. */
export const confidence = async (name, controls) => (await post(`/studio/takes/${name}/confidence`, { controls })).json();

/** A face with landmarks [68, 2] that were corrected by hand. */
export const correctedFace = async (name, landmarks, crop) =>
  (await post(`/studio/faces/${encodeURIComponent(name)}/landmarks`, { landmarks, crop })).json();

/** A model from parts: specs of `generator` and `representation`. */
export const newModel = async (parts) => (await post("/studio/models", parts)).json();

/** A live session; options as those of the client's `connect`. */
export const connect = (options) => client.connect(`ws://${location.host}`, options);

/** The head that blend shapes move. */
export const head = async () => (await ask("/studio/head")).json();

/** The recording that comes with headmotion. */
export const sample = async () => (await ask("/studio/speech.flac")).arrayBuffer();
