"""The line as a MuJoCo model: a belt between rails, bottles of one shape, a few loose caps.

Lengths are metres. A bottle's frame has its origin at half the height of its body, z along its
axis; it stands on z = -BASE. What is drawn is a mesh of revolution, what collides are cylinders
inside it, in a group that is not drawn.
"""

import io

import numpy as np
from PIL import Image

from raresight.generators.drawing.noise import stream

BOTTLES, CAPS = 6, 2  # bodies in the model; a scene parks those that it does not use
BASE, RADIUS = 0.055, 0.035  # of a bottle's body: half its height, and its radius
TOP = 0.107  # of a closed bottle, above its origin
CAP_RADIUS, CAP_HALF = 0.0175, 0.0095

_SEGMENTS = 20
# Outlines from the foot's centre to the lip, as (radius, height).
_BODY = (
    *((0.0, -BASE), (0.031, -BASE), (RADIUS, -0.050), (RADIUS, 0.030)),
    *((0.0335, 0.041), (0.029, 0.051), (0.022, 0.059), (0.0165, 0.067)),
)
_NECK = (
    *((0.0165, 0.067), (0.0145, 0.074), (0.0145, 0.092)),
    *((0.0160, 0.093), (0.0160, 0.099), (0.0, 0.099)),
)
_LABEL = ((RADIUS + 4e-4, -0.036), (RADIUS + 4e-4, 0.018))
LABELS, BELTS = 12, 8
# Each way, how many pixels are drawn for one of the picture: what is thinner than one does not
# break into dots, and shadows have no stairs.
FINER = 2


def _revolved(outline: tuple[tuple[float, float], ...]) -> str:
    """The surface of an outline turned round the axis, as attributes of a mesh with texture."""
    rings, turn = len(outline), np.linspace(0, 2 * np.pi, _SEGMENTS + 1)
    radius, height = np.array(outline).T
    u, v = np.meshgrid(turn, np.arange(rings), indexing="ij")
    points = np.stack([radius[v] * np.cos(u), radius[v] * np.sin(u), height[v]], axis=-1)
    texture = np.stack([2 * u / (2 * np.pi), 1 - v / (rings - 1)], axis=-1)
    a = (np.arange(_SEGMENTS)[:, None] * rings + np.arange(rings - 1)).ravel()
    b = a + rings
    faces = np.concatenate([np.stack([a, b, b + 1], 1), np.stack([a, b + 1, a + 1], 1)])
    corners = points.reshape(-1, 3)[faces]
    sides = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.linalg.norm(np.cross(*sides), axis=1)
    return (
        f'vertex="{_words(points)}" texcoord="{_words(texture)}" '
        f'face="{_words(faces[area > 1e-12])}" inertia="shell"'
    )


def _words(values: np.ndarray) -> str:
    return " ".join(f"{value:.6g}" for value in values.ravel())


def _label_pictures() -> dict[str, bytes]:
    """Printed labels: a frame, a field, lines, a bar code; white takes the label's colour."""
    return {f"label{k}.png": _png(_label(stream(f"label-{k}"))) for k in range(LABELS)}


def _label(rng: np.random.Generator) -> np.ndarray:
    height, width = 64, 128
    paper = np.full((height, width, 3), 255, np.uint8)
    paper[:6] = paper[-6:] = rng.integers(40, 160, 3)
    left = int(rng.integers(8, 40))
    paper[16:34, left : left + int(rng.integers(30, 60))] = rng.integers(20, 120, 3)  # the brand
    for row in range(38, 54, 5):
        paper[row : row + 2, left : left + int(rng.integers(20, 60))] = 90
    bars = 100 + np.flatnonzero(rng.random(22) < 0.5)
    paper[22:48, bars] = 15
    return paper


def _belt_picture(rng: np.random.Generator) -> np.ndarray:
    """Rubber, more or less rough, with ribs near or far from each other."""
    rough, apart = rng.uniform(12, 32), int(rng.choice([8, 16, 32]))
    grey = 205 + rough * rng.standard_normal((128, 128))
    depth = rng.uniform(15, 55)
    grey[::apart] -= depth
    grey[1::apart] += depth / 3
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def pictures() -> dict[str, bytes]:
    """The textures that :func:`xml` names, as PNG files."""
    belts = {f"belt{k}.png": _png(_belt_picture(stream(f"belt-{k}"))) for k in range(BELTS)}
    return belts | _label_pictures()


def _bottle(k: int) -> str:
    top = f'size="{CAP_RADIUS} {CAP_HALF}" pos="0 0 .0975"'
    return f"""
<body name="bottle{k}"><freejoint/>
  <geom name="collide_body{k}" class="solid" size="{RADIUS} .0525" pos="0 0 -.0025" mass=".30"/>
  <geom name="collide_neck{k}" class="solid" size=".016 .0245" pos="0 0 .0745" mass=".02"/>
  <geom name="collide_cap{k}" class="solid" {top} mass="0"/>
  <geom name="body{k}" class="seen" type="mesh" mesh="body" material="glass"/>
  <geom name="neck{k}" class="seen" type="mesh" mesh="neck" material="glass"/>
  <geom name="mouth{k}" class="seen" type="cylinder" size=".0115 .001" pos="0 0 .0989"
        rgba=".05 .05 .06 1"/>
  <geom name="label{k}" class="seen" type="mesh" mesh="label" material="label0"/>
  <geom name="cap{k}" class="seen" type="cylinder" {top} material="cap"/>
</body>"""


def _loose_cap(k: int) -> str:
    return f"""
<body name="loose{k}"><freejoint/>
  <geom name="loose{k}" class="solid" size="{CAP_RADIUS} {CAP_HALF}" mass=".01" group="0"
        material="cap"/>
</body>"""


def _rail(k: int, side: int) -> str:
    return f"""
<geom name="rail{k}" type="box" size=".008 1.6 .022" pos="{side * 0.222} 0 .034" material="steel"/>
<geom name="frame{k}" class="seen" type="box" size=".018 1.6 .05" pos="{side * 0.238} 0 -.05"
      material="frame"/>"""


def _label_material(k: int) -> str:
    return f"""
<texture name="label{k}" type="2d" file="label{k}.png"/>
<material name="label{k}" texture="label{k}" specular=".15"/>"""


def _belt_material(k: int) -> str:
    return f"""
<texture name="belt{k}" type="2d" file="belt{k}.png"/>
<material name="belt{k}" texture="belt{k}" texrepeat="3 22" specular=".25" shininess=".3"/>"""


def xml(size: int) -> str:
    """The model for square pictures of ``size`` pixels."""
    return f"""
<mujoco>
<option timestep=".005" integrator="implicitfast"/>
<statistic extent="1" center="0 .1 .05"/>
<visual>
  <global offwidth="{size}" offheight="{size}"/>
  <quality shadowsize="2048" offsamples="4"/>
  <headlight ambient=".34 .34 .34" diffuse=".12 .12 .12" specular="0 0 0"/>
  <map znear=".05" zfar="20" shadowclip=".8"/>
</visual>
<default>
  <default class="seen"><geom contype="0" conaffinity="0" mass="0" group="0"/></default>
  <default class="solid">
    <geom type="cylinder" group="3" condim="4" friction=".6 .004 .0002"/>
  </default>
</default>
<asset>
  <texture name="sky" type="skybox" builtin="gradient" rgb1=".62 .64 .66" rgb2=".3 .31 .33"
           width="32" height="32"/>
  <material name="steel" rgba=".62 .64 .67 1" specular=".8" shininess=".6"/>
  <material name="frame" rgba=".2 .33 .42 1" specular=".3"/>
  <material name="glass" specular=".9" shininess=".85"/>
  <material name="cap" specular=".5" shininess=".5"/>
  <material name="wall" specular=".05"/>
  {"".join(map(_label_material, range(LABELS)))}{"".join(map(_belt_material, range(BELTS)))}
  <mesh name="body" {_revolved(_BODY)}/>
  <mesh name="neck" {_revolved(_NECK)}/>
  <mesh name="label" {_revolved(_LABEL)}/>
</asset>
<worldbody>
  <light name="key" pos=".4 -.3 1.4" dir="-.25 .2 -1" castshadow="true" cutoff="75" exponent="1"/>
  <light name="second" pos="-.4 -.3 1.4" dir=".25 .2 -1" castshadow="true" cutoff="75"
         exponent="1"/>
  <light name="fill" type="directional" pos="0 -1 1.5" dir="0 .6 -1" castshadow="false"
         diffuse=".2 .2 .22" specular="0 0 0"/>
  <geom name="floor" class="seen" type="plane" size="6 6 .1" pos="0 0 -.8" rgba=".42 .41 .4 1"/>
  <geom name="wall" class="seen" type="box" size="4 .05 2" pos="0 2.6 0" material="wall"/>
  <geom name="post0" class="seen" type="box" size=".03 .03 .5" pos="-.3 .9 .1" material="frame"/>
  <geom name="post1" class="seen" type="box" size=".03 .03 .5" pos=".3 .9 .1" material="frame"/>
  <geom name="beam" class="seen" type="box" size=".33 .04 .06" pos="0 .9 .5" material="frame"/>
  <geom name="belt" type="box" size=".21 1.6 .02" pos="0 0 -.02" material="belt0"/>
  {_rail(0, -1)}{_rail(1, 1)}
  <camera name="camera" pos="0 -.6 .45" fovy="35"/>
  {"".join(map(_bottle, range(BOTTLES)))}{"".join(map(_loose_cap, range(CAPS)))}
</worldbody>
</mujoco>"""
