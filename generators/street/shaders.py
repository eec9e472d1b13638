"""The GLSL programs of the street: how surfaces look, and how objects are numbered."""

from raresight.generators.street.meshes import ASPHALT, GLOW, LEAVES, SKY, SLABS, WALL

LAMPS = 6  # lanterns that light the scene at most

_LIGHTS = """
uniform struct p3d_LightSourceParameters {
  vec4 color; vec4 position; sampler2DShadow shadowMap; mat4 shadowViewMatrix;
} p3d_LightSource[1];
"""

VERTEX = f"""#version 150
uniform mat4 p3d_ModelViewProjectionMatrix, p3d_ModelViewMatrix;
{_LIGHTS}
in vec4 p3d_Vertex; in vec3 p3d_Normal; in vec3 paint; in vec3 marks;
out vec3 place, facing, albedo; out vec4 shadow; flat out int material;
void main() {{
  gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex;
  shadow = p3d_LightSource[0].shadowViewMatrix * (p3d_ModelViewMatrix * p3d_Vertex);
  place = p3d_Vertex.xyz; facing = p3d_Normal; albedo = paint; material = int(marks.x + .5);
}}"""

FRAGMENT = f"""#version 150
{_LIGHTS}
uniform vec3 sun_colour, towards_sun, ambient, zenith, eye;
uniform vec4 fog; uniform vec4 lamps[{LAMPS}];
uniform float headlights, exposure, texel;
in vec3 place, facing, albedo; in vec4 shadow; flat in int material;
out vec4 colour;

float hash(vec3 p) {{
  p = fract(p * .3183099 + .1); p *= 17.;
  return fract(p.x * p.y * p.z * (p.x + p.y + p.z));
}}
float noise(vec2 p) {{  // smooth, between 0 and 1
  vec2 i = floor(p), f = fract(p); f *= f * (3. - 2. * f);
  return mix(mix(hash(vec3(i, 1.)), hash(vec3(i + vec2(1, 0), 1.)), f.x),
             mix(hash(vec3(i + vec2(0, 1), 1.)), hash(vec3(i + vec2(1, 1), 1.)), f.x), f.y);
}}
float line(float x, float width, float soft) {{  // 1 on the joints between whole numbers
  float d = abs(fract(x - .5) - .5);
  return 1. - smoothstep(width, width + soft, d);
}}
vec3 surface(float far) {{
  float near = 1. / (1. + far * far * .004);  // detail finer than a pixel would only flicker
  if (material == {ASPHALT}) {{
    float worn = noise(place.xy * vec2(1.6, .25)), grain = hash(floor(place * 24.)) - .5;
    return albedo * (.8 + .4 * worn + .35 * near * grain);
  }}
  if (material == {SLABS}) {{
    float joints = max(line(place.x * 1.6, .03, .06), line(place.y * 1.6, .03, .06));
    return albedo * (.85 + .3 * noise(place.xy * 1.6) - .4 * near * joints);
  }}
  if (material == {WALL}) {{
    float along = abs(facing.x) > abs(facing.y) ? place.y : place.x;
    float courses = line(place.z * 3., .06, .1);
    float joints = line(along * 1.5 + .5 * mod(floor(place.z * 3. + .5), 2.), .04, .06);
    float stain = noise(vec2(along, place.z) * .5);
    return albedo * (.75 + .45 * stain - .3 * near * max(courses, joints));
  }}
  if (material == {LEAVES}) return albedo * (.55 + .8 * hash(floor(place * 7.)));
  return albedo;
}}
float sunlit() {{  // 0 in the shadow, 1 in the light
  vec3 q = shadow.xyz / shadow.w;
  if (any(lessThan(q.xy, vec2(0.))) || any(greaterThan(q.xy, vec2(1.)))) return 1.;
  float lit = 0.;
  for (int i = 0; i < 2; i++) for (int j = 0; j < 2; j++)
    lit += texture(p3d_LightSource[0].shadowMap,
                   vec3(q.xy + (vec2(i, j) - .5) * texel, q.z - .0012));
  return lit * .25;
}}
vec3 sky(vec3 ray) {{
  float height = clamp(ray.z, 0., 1.);
  vec2 ceiling = ray.xy / (ray.z + .12);
  float clouds = noise(ceiling * 1.3) * .6 + noise(ceiling * 3.1) * .4;
  vec3 clear = mix(fog.rgb, zenith, pow(height, .55));
  vec3 white = mix(clear, fog.rgb * 1.25 + .25 * sun_colour * .3, .7);
  vec3 seen = mix(clear, white, smoothstep(.45, .8, clouds) * smoothstep(.02, .2, height));
  seen += sun_colour * .25 * pow(max(dot(ray, towards_sun), 0.), 60.);
  return mix(seen, fog.rgb, 1. - exp(-fog.a * 25.));
}}
void main() {{
  vec3 ray = place - eye; float far = length(ray); ray /= far;
  vec3 light;
  if (material == {SKY}) light = sky(ray);
  else if (material == {GLOW}) light = mix(fog.rgb, albedo, exp(-fog.a * far));
  else {{
    vec3 normal = normalize(facing), base = surface(far);
    vec3 falling = ambient * (.7 + .3 * normal.z);
    falling += sun_colour * max(dot(normal, towards_sun), 0.) * sunlit();
    // Two cones of the headlights, a little down.
    float beam = smoothstep(.84, .995, dot(ray, normalize(vec3(.02, 1., -.05))));
    beam *= headlights * (.25 + .75 * max(dot(normal, -ray), 0.));
    falling += beam * vec3(1., .96, .85) * 90. / (30. + far * far);
    if (lamps[0].w > 0.) for (int k = 0; k < {LAMPS}; k++) {{
      vec3 way = lamps[k].xyz - place; float metres = length(way);
      falling += lamps[k].w * vec3(1., .78, .5) * max(dot(normal, way / metres), 0.)
               * max(way.z / metres, 0.) * 12. / (6. + metres * metres);
    }}
    light = mix(fog.rgb, base * falling, exp(-fog.a * far));
  }}
  colour = vec4(pow(1. - exp(-exposure * light), vec3(1. / 2.2)), 1.);
}}"""

# Object number and tag as flat colours; a third of a step more survives any rounding.
ID_VERTEX = """#version 150
uniform mat4 p3d_ModelViewProjectionMatrix;
in vec4 p3d_Vertex; in vec3 marks; flat out vec2 number;
void main() { gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex; number = marks.yz; }"""

ID_FRAGMENT = """#version 150
flat in vec2 number; out vec4 colour;
void main() { colour = vec4((number + .3) / 255., 0., 1.); }"""
