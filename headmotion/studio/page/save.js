// Saves takes as files.

const FORMATS = [
  ["mp4", "Video", "MP4 with sound", "talk.mp4"],
  ["npz", "Motion", "NumPy, exact", "talk.npz"],
  ["csv", "Table", "CSV", "talk.csv"],
  ["glb", "3D head", "glTF, ARKit", "talk.glb"],
  ["live-link", "Live Link", "CSV, ARKit", "talk-live-link.csv"],
  ["vtt", "Visemes", "WebVTT cues", "talk.vtt"],
  ["html", "Web page", "one file", "talk.html"],
  ["gif", "GIF", "without sound", "talk.gif"],
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

export function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
