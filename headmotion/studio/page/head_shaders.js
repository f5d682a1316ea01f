// Shaders of head_view.js: skin under a key light from above, a fill light and a rim.

export const SHADER_VERTEX = `#version 300 es
in vec3 position, normal;
in vec4 tint; // color, and how much it shines
uniform mat3 turn;
uniform float aspect, lens, distance;
out vec3 place, facing;
out vec4 paint;
void main() {
  place = turn * (position - vec3(0, 0, -0.35)) + vec3(0, 0, -0.35);
  facing = turn * normal;
  paint = tint;
  float depth = distance - place.z;
  gl_Position = vec4((place.xy + vec2(0, 0.05)) * lens / vec2(max(aspect, 1.0), max(1.0, 1.0 / aspect)), depth - 1.0, depth);
}`;

export const SHADER_FRAGMENT = `#version 300 es
precision highp float;
in vec3 place, facing;
in vec4 paint;
uniform float light, distance;
out vec4 color;
void main() {
  vec3 n = normalize(facing), view = normalize(vec3(0, 0, distance) - place);
  if (dot(n, view) < 0.0) n = -n;
  vec3 key = normalize(vec3(-0.5, 0.75, 0.9)), fill = normalize(vec3(0.9, 0.0, 0.6));
  float wrapped = clamp((dot(n, key) + 0.25) / 1.25, 0.0, 1.0);
  vec3 warm = vec3(1.0, 0.93, 0.86), cool = vec3(0.55, 0.68, 0.95);
  vec3 lit = paint.rgb * (0.24 + 0.82 * wrapped * warm + 0.22 * clamp(dot(n, fill), 0.0, 1.0) * cool);
  // Light that goes through skin is red where it ends.
  lit += paint.rgb * vec3(0.12, 0.02, 0.01) * smoothstep(0.0, 0.35, wrapped) * (1.0 - smoothstep(0.35, 0.8, wrapped));
  float shine = pow(max(dot(n, normalize(key + view)), 0.0), mix(18.0, 90.0, paint.a));
  float rim = pow(1.0 - max(dot(n, view), 0.0), 3.0);
  lit += shine * mix(0.10, 0.75, paint.a) * warm + rim * 0.16 * cool;
  color = vec4(clamp(lit * light, 0.0, 1.0), 1.0);
}`;
