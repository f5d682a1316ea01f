// The page's elements by id, and its line about what happens.

export const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

/** Show what happens. */
export function say(text, isError = false) {
  page.status.textContent = text;
  page.status.classList.toggle("error", isError);
}

/** Show what is worth knowing about the face, such as that its mouth is open. */
export function note(...warnings) {
  page.note.textContent = [...new Set(warnings.flat())].join(" ");
  page.note.hidden = !page.note.textContent;
}

/** Do work; a failure is shown, and null returned. */
export async function attempt(text, work) {
  say(text);
  try {
    const result = await work();
    say("");
    return result;
  } catch (error) {
    say(error.message, true);
    console.warn(error);
    return null;
  }
}
