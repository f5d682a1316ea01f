// Forms of parts, also those of plugins, from the JSON schemas of their specs.

import * as api from "./api.js";
import { makeFields } from "./schema_fields.js";
import { attempt } from "./status.js";
import { download } from "./save.js";

/** A choice of one type of a kind with its fields; `read()` returns its spec. */
export class PartForm {
  constructor(label, schemas, first, values = {}) {
    this.schemas = schemas;
    this.element = Object.assign(document.createElement("fieldset"), { className: "fields" });
    const legend = Object.assign(document.createElement("legend"), { textContent: label });
    this.choice = Object.assign(document.createElement("select"), { ariaLabel: label });
    for (const name of Object.keys(schemas)) this.choice.append(new Option(name, name, name === first, name === first));
    this.fields = Object.assign(document.createElement("div"), { className: "fields" });
    this.choice.addEventListener("input", () => this._show());
    this.element.append(legend, this.choice, this.fields);
    this._show(values);
  }

  _show(values = {}) {
    this.fields.replaceChildren();
    const schema = this.schemas[this.choice.value];
    this._read = schema ? makeFields(this.fields, schema, values) : () => ({});
  }

  /** The spec, with those fields that were changed. Throws if a field holds no JSON where it must. */
  read() {
    return { type: this.choice.value, ...this._read() };
  }
}

/** Further controls, each with its fields, which act at once; `onChange(specs)` is called with all of them. */
export class ControlForms {
  constructor(place, schemas, onChange) {
    Object.assign(this, { schemas, onChange, forms: [], list: document.createElement("div") });
    this.list.className = "fields";
    place.append(this.list, button("Add a control", async () => this._add({})));
  }

  /** Show other specs. */
  set(specs = []) {
    this.list.replaceChildren();
    this.forms = [];
    for (const spec of specs) this._add(spec);
  }

  _add(spec) {
    const form = new PartForm("Control", this.schemas, spec.type ?? Object.keys(this.schemas)[0], spec);
    const remove = button("Remove", async () => {
      form.element.remove();
      this.forms = this.forms.filter((other) => other !== form);
      this._changed();
    });
    form.element.append(remove);
    form.element.addEventListener("input", () => this._changed());
    this.list.append(form.element);
    this.forms.push(form);
    if (!spec.type) this._changed();
  }

  async _changed() {
    const specs = await attempt("", () => this.forms.map((form) => form.read()));
    if (specs) this.onChange(specs);
  }
}

/** Videos by any renderer; `getFile(spec)` returns a promise of a Blob. */
export function makeRendererForm(place, schemas, getFile) {
  const form = new PartForm("Renderer", schemas, "portrait");
  place.append(form.element, button("Save video", async () => {
    const spec = await attempt("", () => form.read());
    const blob = spec && (await getFile(spec));
    if (blob) download(blob, `${spec.type.replace("/", "-")}.mp4`);
  }));
}

/** Models from parts; `onModel(model)` is called with each. */
export function makeModelForm(place, { generator, representation }, onModel) {
  const forms = [new PartForm("Generator", generator), new PartForm("Representation", representation, "landmarks68")];
  place.append(...forms.map((form) => form.element), button("Build", async () => {
    const [first, second] = forms;
    const model = await attempt("Building the model …", () => api.newModel({ generator: first.read(), representation: second.read() }));
    if (model) onModel(model);
  }));
}

function button(text, work) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", async () => {
    made.disabled = true;
    await work().finally(() => (made.disabled = false));
  });
  return made;
}
