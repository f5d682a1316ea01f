// Fields of a form from a JSON schema.

/** Make a field for each property of a schema, with `values` in place of defaults; returns what reads those changed. */
export function makeFields(place, schema, values = {}) {
  const readers = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (name === "type") continue;
    const input = fieldOf({ ...property, shown: values[name] ?? property.default }, schema.$defs ?? {});
    const label = document.createElement("label");
    label.textContent = name.replaceAll("_", " ");
    label.title = property.description ?? "";
    label.append(input.element);
    input.element.name = name;
    place.append(label);
    readers.push(() => {
      const value = input.read(name);
      return value === undefined || JSON.stringify(value) === JSON.stringify(property.default) ? {} : { [name]: value };
    });
  }
  return () => Object.assign({}, ...readers.map((read) => read()));
}

function fieldOf(property, definitions) {
  const kinds = (property.anyOf ?? [property]).map((kind) => definitions[kind.$ref?.split("/").pop()] ?? kind);
  const [main = property] = kinds.filter((kind) => kind.type !== "null");
  const element = document.createElement(main.enum ? "select" : "input");
  if (main.enum) {
    for (const value of main.enum) element.append(new Option(value, value, value === property.shown, value === property.shown));
    return { element, read: () => main.enum[element.selectedIndex] };
  }
  if (main.type === "boolean") {
    Object.assign(element, { type: "checkbox", checked: Boolean(property.shown) });
    return { element, read: () => element.checked };
  }
  if (main.type === "integer" || main.type === "number") {
    Object.assign(element, { type: "number", step: main.type === "integer" ? 1 : "any", value: property.shown ?? "" });
    if (main.minimum !== undefined) element.min = main.minimum;
    if (main.maximum !== undefined) element.max = main.maximum;
    element.placeholder = "auto";
    return { element, read: () => (element.value === "" ? undefined : Number(element.value)) };
  }
  if (main.type === "string" && kinds.length <= 2) {
    element.value = property.shown ?? "";
    return { element, read: () => element.value || undefined };
  }
  return jsonField(element, property);
}

/** Lists and objects are written as JSON. */
function jsonField(element, property) {
  element.value = property.shown === undefined ? "" : JSON.stringify(property.shown);
  element.placeholder = "JSON";
  element.spellcheck = false;
  const read = (name) => {
    if (!element.value.trim()) return undefined;
    try {
      return JSON.parse(element.value);
    } catch {
      throw new Error(`${name}: expected JSON, such as [1, 2]`);
    }
  };
  return { element, read };
}
