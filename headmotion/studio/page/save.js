// Saves takes as files.

const FORMATS = [
  ["mp4", "Video", "MP4 with sound", "talk.mp4"],
  ["webm", "Video", "WebM with sound", "talk.webm"],
  ["npz", "Motion", "NumPy, exact", "talk.npz"],
  ["csv", "Table", "CSV", "talk.csv"],
  ["glb", "3D head", "glTF, ARKit", "talk.glb"],
  ["live-link", "Live Link", "CSV, ARKit", "talk-live-link.csv"],
  ["vtt", "Visemes", "WebVTT cues", "talk.vtt"],
  ["html", "Web page", "one file", "talk.html"],
  ["bvh", "Body", "BVH", "talk.bvh"],
  ["gif", "GIF", "without sound", "talk.gif"],
  ["spec", "Spec", "JSON, to repeat it", "talk-spec.json"],
];

/** Make the buttons; `getFile(format)` returns a promise of a Blob. */
export function makeSaveButtons(place, formats, getFile) {
  for (const [format, label, note, name] of FORMATS.filter(([format]) => formats.includes(format))) {
    const button = document.createElement("button");
    button.innerHTML = `${label}<small>${note}</small>`;
    button.dataset.format = format;
    button.disabled = true;
    button.addEventListener("click", async () => {
      button.disabled = true;
      const blob = await getFile(format).finally(() => (button.disabled = false));
      if (blob) download(blob, name);
    });
    place.append(button);
  }
}

/** Offer those formats that a motion can be written in. */
export function showFormats(place, formats) {
  for (const button of place.children) {
    button.disabled = !formats.includes(button.dataset.format);
    button.hidden = button.dataset.format === "bvh" && button.disabled; // bodies only
  }
}

export function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
