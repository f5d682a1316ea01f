// Keys of the whole page, and files that are dropped on it.

/** Call `keys[key]()` for keys that are pressed outside of fields. */
export function listenToKeys(keys) {
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, button, summary, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
}

/** Call `take(file)` for a file that is dropped anywhere. */
export function listenToDrops(take) {
  const highlight = (isOver) => document.body.classList.toggle("dropping", isOver);
  document.addEventListener("dragover", (event) => (event.preventDefault(), highlight(true)));
  document.addEventListener("dragleave", () => highlight(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    highlight(false);
    take(event.dataTransfer.files[0]);
  });
}
