// Sliders of the controls; their names are those of `headmotion animate`.

const SLIDERS = [
  { name: "lips", label: "Lips", low: 0, high: 2, step: 0.05, off: 1, unit: "×" },
  { name: "head", label: "Head", low: 0, high: 2, step: 0.05, off: 1, unit: "×" },
  { name: "blink", label: "Added blinks", low: 0, high: 40, step: 1, off: 0, unit: "/min" },
  { name: "smooth", label: "Smoothing", low: 0, high: 400, step: 20, off: 0, unit: " ms" },
  { name: "yaw", label: "Look to the side", low: -30, high: 30, step: 1, off: 0, unit: "°" },
  { name: "pitch", label: "Look up", low: -20, high: 20, step: 1, off: 0, unit: "°" },
];
const CHECKS = [
  { name: "close_silence", label: "Close the mouth in silence" },
  { name: "hold_pose", label: "Hold the head still" },
  { name: "limit", label: "Limit to what people reach" },
];
/** Settings without effect; `opening` is a correction per frame, `more` are specs of further controls. */
export const NO_CHANGE = { ...Object.fromEntries(SLIDERS.map(({ name, off }) => [name, off])), opening: null, more: [] };
/** Settings that a new version begins with. */
export const START = { ...NO_CHANGE, blink: 12 };

/** The controls of the server for the settings of the sliders; those that change nothing are left out. */
export function controlsOf(settings) {
  const controls = {};
  for (const { name, off } of SLIDERS) {
    if (!["yaw", "pitch"].includes(name) && settings[name] !== off) controls[name] = settings[name];
  }
  for (const { name } of CHECKS) if (settings[name]) controls[name] = true;
  if (settings.more.length) controls.more = settings.more;
  if (settings.opening) controls.opening = settings.opening;
  if (settings.yaw || settings.pitch) controls.look_at = [settings.yaw, settings.pitch];
  return controls;
}

/** Make the sliders in a place, all or those of `names`; `onChange(settings)` is called while they move. */
export function makeControls(place, onChange, names = null) {
  let settings = { ...START };
  const isOffered = ({ name }) => !names || names.includes(name);
  const show = [];
  for (const { name, label, low, high, step, unit } of SLIDERS.filter(isOffered)) {
    const row = document.createElement("div");
    row.className = "control";
    row.innerHTML = `<label for="control-${name}">${label}</label><output></output>`;
    const input = Object.assign(document.createElement("input"), { type: "range", id: `control-${name}`, min: low, max: high, step });
    row.append(input);
    place.append(row);
    const output = row.querySelector("output");
    show.push(() => {
      input.value = settings[name];
      output.textContent = `${settings[name]}${unit}`;
      input.setAttribute("aria-valuetext", output.textContent);
    });
    input.addEventListener("input", () => change(name, Number(input.value)));
  }
  for (const { name, label } of CHECKS.filter(isOffered)) {
    const row = document.createElement("label");
    row.className = "check";
    const input = Object.assign(document.createElement("input"), { type: "checkbox", id: `control-${name}` });
    row.append(input, ` ${label}`);
    place.append(row);
    show.push(() => (input.checked = Boolean(settings[name])));
    input.addEventListener("change", () => change(name, input.checked));
  }
  const refresh = () => show.forEach((update) => update());
  function change(name, value) {
    settings = { ...settings, [name]: value };
    refresh();
    onChange(settings);
  }
  refresh();
  return {
    /** Show other settings. */
    set(next) {
      settings = { ...next };
      refresh();
    },
  };
}
