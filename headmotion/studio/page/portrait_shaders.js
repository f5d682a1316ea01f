// Shaders of portrait_canvas.js. Positions are pixels of the picture, y down, as in the Python renderer.

export const VERTEX = `#version 300 es
in vec2 corner; // 0..1
uniform vec4 box, shown;
out vec2 pixel;
void main() {
  vec2 place = mix(box.xy, box.zw, corner);
  pixel = place - 0.5;
  gl_Position = vec4(2.0 * (place - shown.xy) / (shown.zw - shown.xy) - 1.0, 0, 1);
  gl_Position.y = -gl_Position.y;
}`;

const COMMON = `#version 300 es
precision highp float;
precision highp sampler2D;
in vec2 pixel;
out vec4 color;
uniform sampler2D picture;
uniform vec2 size;

float near_weight(float x) { return ((-0.75 + 2.0) * x - (-0.75 + 3.0)) * x * x + 1.0; }
float far_weight(float x) { return ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0; }
vec4 cubic(float t) { return vec4(far_weight(1.0 + t), near_weight(t), near_weight(1.0 - t), far_weight(2.0 - t)); }

// A texture at a position in its pixels, by cubic convolution; its edges are repeated.
vec4 cubic_sample(sampler2D image, vec2 place) {
  ivec2 last = textureSize(image, 0) - 1;
  vec2 base = floor(place);
  vec4 across = cubic(place.x - base.x), down = cubic(place.y - base.y);
  vec4 sum = vec4(0);
  for (int j = 0; j < 4; j++) {
    for (int i = 0; i < 4; i++) {
      ivec2 at = clamp(ivec2(base) + ivec2(i - 1, j - 1), ivec2(0), last);
      sum += texelFetch(image, at, 0) * across[i] * down[j];
    }
  }
  return sum;
}

// OpenCV samples pictures at multiples of 1/32 of a pixel.
vec3 pixels(sampler2D image, vec2 place) {
  return clamp(cubic_sample(image, round(place * 32.0) / 32.0).rgb, 0.0, 1.0);
}

float smooth01(float x) { x = clamp(x, 0.0, 1.0); return x * x * (3.0 - 2.0 * x); }
`;

export const WARP = `${COMMON}
uniform sampler2D flow, near, needs;
uniform vec4 flowGrid, nearGrid; // x, y and step of the first cell
uniform vec2 nearSize;
uniform vec4 rooms; // of the sides: top, bottom, left, right
uniform bool isBelow;
uniform vec2 origin, across;
uniform vec2 middle[25];

void pin(inout float place, float start, float inwards, float need, float room) {
  if (need <= 0.0) return;
  float depth = min(2.0 * need, room) + 1e-6;
  float fade = clamp((depth - (place - start) * inwards) / (depth + need), 0.0, 1.0);
  place += inwards * need * pow(fade, 1.5);
}

// Coverage of what lies below the line through the middle of an opening.
float below_middle() {
  vec2 offset = pixel - origin;
  float u = dot(offset, across), v = dot(offset, vec2(-across.y, across.x)), edge = middle[0].y;
  for (int k = 0; k < 24; k++) {
    vec2 a = middle[k], b = middle[k + 1];
    if (u >= a.x) edge = mix(a.y, b.y, clamp((u - a.x) / max(b.x - a.x, 1e-6), 0.0, 1.0));
  }
  return clamp(v - edge + 0.5, 0.0, 1.0);
}

void main() {
  vec2 place = pixel + cubic_sample(flow, (pixel - flowGrid.xy + 0.5) / flowGrid.z - 0.5).xy;
  vec2 inNear = pixel - nearGrid.xy;
  if (all(greaterThanEqual(inNear, vec2(0))) && all(lessThan(inNear, nearSize))) {
    vec4 both = cubic_sample(near, (inNear + 0.5) / nearGrid.z - 0.5);
    place += isBelow ? both.zw : both.xy;
  }
  vec4 column = texelFetch(needs, ivec2(pixel.x + 0.5, 0), 0), row = texelFetch(needs, ivec2(pixel.y + 0.5, 0), 0);
  pin(place.y, 0.0, 1.0, column.x, rooms.x);
  pin(place.y, size.y - 1.0, -1.0, column.y, rooms.y);
  pin(place.x, 0.0, 1.0, row.z, rooms.z);
  pin(place.x, size.x - 1.0, -1.0, row.w, rooms.w);
  color = vec4(pixels(picture, place), isBelow ? below_middle() : 1.0);
}`;

const STRIP = `
uniform vec2 origin, across;
uniform vec2 upper[25], lower[25]; // u along the opening and v down the face, from the origin

float phi(float x) { // normal distribution (Page 1977)
  return 1.0 / (1.0 + exp(-1.5957691 * x * (1.0 + 0.044715 * x * x)));
}

// Position of the pixel (u, v) and of the edges above and below it, and whether u lies between the corners.
struct Place { float u, v, top, bottom, start, end; };
Place place_in(vec2 a[25], vec2 b[25]) {
  vec2 offset = pixel - origin;
  Place p;
  p.u = dot(offset, across);
  p.v = dot(offset, vec2(-across.y, across.x));
  p.start = min(a[0].x, b[0].x);
  p.end = max(a[24].x, b[24].x);
  p.top = a[0].y;
  p.bottom = b[0].y;
  for (int k = 0; k < 24; k++) {
    if (p.u >= a[k].x) p.top = mix(a[k].y, a[k + 1].y, clamp((p.u - a[k].x) / max(a[k + 1].x - a[k].x, 1e-6), 0.0, 1.0));
    if (p.u >= b[k].x) p.bottom = mix(b[k].y, b[k + 1].y, clamp((p.u - b[k].x) / max(b[k + 1].x - b[k].x, 1e-6), 0.0, 1.0));
  }
  return p;
}
float sides(Place p) { return clamp(p.u - p.start + 0.5, 0.0, 1.0) * clamp(p.end - p.u + 0.5, 0.0, 1.0); }
float coverage(Place p) {
  return sides(p) * max(0.0, min(p.v + 0.5, p.bottom) - max(p.v - 0.5, p.top));
}
float blurred(Place p, float sigma) {
  float ends = phi((p.u - p.start) / sigma) * phi((p.end - p.u) / sigma);
  return ends * max(0.0, phi((p.v - p.top) / sigma) - phi((p.v - p.bottom) / sigma));
}
`;

export const MOUTH = `${COMMON}${STRIP}
uniform mat2x3 source;
uniform sampler2D depth, teeth;
uniform vec4 still; // box of depth and teeth in the picture
uniform vec3 lips, skin;
uniform float gap, wider, parted, thick, thin, edge, teethShown;
const vec3 TEETH = vec3(0.84, 0.80, 0.91), TONGUE = vec3(0.70, 0.57, 0.64), DARK = vec3(0.40, 0.31, 0.29);

float linear(sampler2D image, vec2 place, float outside) {
  ivec2 last = textureSize(image, 0) - 1, base = ivec2(floor(place));
  vec2 t = place - floor(place);
  float corners[4];
  for (int k = 0; k < 4; k++) {
    ivec2 at = base + ivec2(k % 2, k / 2);
    bool isInside = all(greaterThanEqual(at, ivec2(0))) && all(lessThanEqual(at, last));
    corners[k] = isInside ? texelFetch(image, at, 0).r : outside;
  }
  return mix(mix(corners[0], corners[1], t.x), mix(corners[2], corners[3], t.x), t.y);
}

void main() {
  Place p = place_in(upper, lower);
  vec2 place = vec3(pixel, 1.0) * source;
  float ends = phi((p.u - p.start) / thick) * phi((p.end - p.u) / thick);
  float fromLower = smooth01(2.0 * ends * phi((p.bottom - p.v) / thick) - 1.0);
  ends = phi((p.u - p.start) / thin) * phi((p.end - p.u) / thin);
  float fromUpper = smooth01(2.0 * ends * phi((p.v - p.top) / thin) - 1.0);
  vec3 dark = mix(skin * TONGUE, skin * DARK, fromLower);
  vec3 lit = mix(dark, skin * TEETH, linear(teeth, place - still.xy, 0.0)) * (0.75 + 0.25 * fromUpper);
  vec3 painted = mix(0.68 * lips, lit, parted);
  float visible = smooth01(linear(depth, place - still.xy, -1e3) / (2.0 * edge) + 1.75 * (1.0 - wider));
  visible *= max(teethShown, 1.0 - wider);
  color = vec4(mix(painted, pixels(picture, place), visible), coverage(p) * clamp(gap, 0.0, 1.0));
}`;

/** A plain color in a strip with soft edges. */
export const STROKE = `${COMMON}${STRIP}
uniform vec3 tone;
uniform float sigma, opacity;
void main() {
  Place p = place_in(upper, lower);
  color = vec4(tone, opacity * (sigma > 0.0 ? blurred(p, sigma) : coverage(p)));
}`;

/** A picture in a strip: the eye between its lids. */
export const PATCH = `${COMMON}${STRIP}
uniform mat2x3 source;
uniform float opacity;
void main() {
  color = vec4(pixels(picture, vec3(pixel, 1.0) * source), opacity * coverage(place_in(upper, lower)));
}`;

/** Skin in two strips, the lids, which reach a little beyond their edges. */
export const LIDS = `${COMMON}${STRIP}
uniform vec2 upper2[25], lower2[25];
uniform mat2x3 source;
uniform float sigma;
void main() {
  Place first = place_in(upper, lower), second = place_in(upper2, lower2);
  float covered = max(coverage(first), coverage(second));
  float soft = max(blurred(first, sigma), blurred(second, sigma));
  color = vec4(pixels(picture, vec3(pixel, 1.0) * source), max(covered, soft));
}`;
