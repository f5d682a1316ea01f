// Forms for other renderers of the video, also those of plugins, from the JSON schemas of their specs.

/** Make a form per renderer; `getFile(spec)` returns a promise of a Blob. */
import { download } from "./save.js";

export function makeRendererForms(place, schemas, getFile) {
  const names = Object.keys(schemas);
  const choice = Object.assign(document.createElement("select"), { ariaLabel: "Renderer" });
  for (const name of names) choice.append(new Option(name, name));
  const fields = Object.assign(document.createElement("div"), { className: "fields" });
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Save video" });
  let read = () => ({});
  const show = () => {
    fields.replaceChildren();
    read = makeFields(fields, schemas[choice.value]);
  };
  choice.addEventListener("change", show);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const blob = await getFile({ type: choice.value, ...read() }).finally(() => (button.disabled = false));
    if (blob) download(blob, `${choice.value}.mp4`);
  });
  place.append(choice, fields, button);
  place.className = "fields";
  if (names.length) show();
}

/** Make a field for each simple property of a schema; returns a function that reads those that were changed. */
export function makeFields(place, schema) {
  const readers = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (name === "type") continue;
    const input = fieldOf(property);
    if (!input) continue; // colors by group and the like have no simple form; the spec file has them
    const label = document.createElement("label");
    label.textContent = name.replaceAll("_", " ");
    label.title = property.description ?? "";
    label.append(input.element);
    place.append(label);
    readers.push(() => {
      const value = input.read();
      return value === undefined || value === property.default ? {} : { [name]: value };
    });
  }
  return () => Object.assign({}, ...readers.map((read) => read()));
}

function fieldOf(property) {
  const kinds = property.anyOf ?? [property];
  const main = kinds.find((kind) => kind.type !== "null") ?? property;
  const element = document.createElement(main.enum ? "select" : "input");
  if (main.enum) {
    for (const value of main.enum) element.append(new Option(value, value, value === property.default));
    return { element, read: () => element.value };
  }
  if (main.type === "boolean") {
    Object.assign(element, { type: "checkbox", checked: Boolean(property.default) });
    return { element, read: () => element.checked };
  }
  if (main.type === "integer" || main.type === "number") {
    Object.assign(element, { type: "number", step: main.type === "integer" ? 1 : "any", value: property.default ?? "" });
    if (main.minimum !== undefined) element.min = main.minimum;
    if (main.maximum !== undefined) element.max = main.maximum;
    element.placeholder = "auto";
    return { element, read: () => (element.value === "" ? undefined : Number(element.value)) };
  }
  if (main.type === "string") {
    element.value = property.default ?? "";
    return { element, read: () => element.value || undefined };
  }
  return null;
}
