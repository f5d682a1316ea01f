// The page's elements by id, and its line about what happens.

export const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

/** Show what happens. */
export function say(text, isError = false) {
  page.status.textContent = text;
  page.status.classList.toggle("error", isError);
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
