"""What the camera over the belt sees: colours, object numbers and distances of a settled scene."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from mujoco.gl_context import GLContext

from raresight.generators import opengl
from raresight.generators.base import Unavailable
from raresight.generators.conveyor import model
from raresight.generators.conveyor.physics import Line
from raresight.generators.drawing.sensor import averaged

_SHADOW = mujoco.mjtRndFlag.mjRND_SHADOW


class Camera:
    """Renders the line; one for each process and size of picture."""

    def __init__(self, line: Line, size: int):
        if GLContext.__module__ != "mujoco.egl":
            raise Unavailable(
                f"MuJoCo was imported with {GLContext.__module__} before: set MUJOCO_GL=egl first."
            )
        self._line = line
        self._renderer = mujoco.Renderer(line.model, size * model.FINER, size * model.FINER)
        self._number = line.bottle_of_body()
        parts = [f"{part}{k}" for part in ("neck", "mouth") for k in range(model.BOTTLES)]
        self._necks = [line.model.geom(part).id for part in parts]
        opengl.close_at_exit(self._renderer.close)

    def dress(self, values: Mapping[str, Any], rng: np.random.Generator) -> None:
        """Draw the product, the belt, the light and the place of the camera."""
        scene = self._line.model
        _paint_bottles(scene, values["lot"] == "mixed", rng)
        _paint_surroundings(scene, rng)
        _light(scene, values, rng)
        _aim(scene, values, rng)
        mujoco.mj_kinematics(scene, self._line.data)  # things were moved after the last step
        mujoco.mj_camlight(scene, self._line.data)

    def objects(self) -> tuple[np.ndarray, np.ndarray]:
        """The scene's bottles by number, uint16 (H, W), 0 for the rest; and the parts (geoms)."""
        renderer = self._renderer
        renderer.update_scene(self._line.data, "camera")
        renderer.scene.flags[_SHADOW] = 0
        renderer.enable_segmentation_rendering()
        parts = renderer.render()[1 :: model.FINER, 1 :: model.FINER, 0].copy()
        renderer.disable_segmentation_rendering()
        bodies = np.where(parts >= 0, self._line.model.geom_bodyid[parts], 0)
        return self._number[bodies], parts

    def necks(self, parts: np.ndarray) -> np.ndarray:
        """Where a neck or a mouth is seen (a cap hides both), bool (H, W)."""
        return np.isin(parts, self._necks)

    def depth(self) -> np.ndarray:
        """Metres from the camera's plane, float32 (H, W)."""
        renderer = self._renderer
        renderer.enable_depth_rendering()
        depth = renderer.render()[1 :: model.FINER, 1 :: model.FINER].copy()
        renderer.disable_depth_rendering()
        return depth

    def colours(self) -> np.ndarray:
        """What the sensor gets before its noise, uint8 (H, W, 3)."""
        self._renderer.scene.flags[_SHADOW] = 1
        return averaged(self._renderer.render(), model.FINER)


def _paint_bottles(scene: mujoco.MjModel, mixed: bool, rng: np.random.Generator) -> None:
    product = _product(rng)
    for k in range(model.BOTTLES):
        if mixed:
            product = _product(rng)
        glass, paper, cap, label = product
        for part in ("body", "neck"):
            scene.geom(f"{part}{k}").rgba[:3] = glass
        scene.geom(f"label{k}").rgba[:3] = paper
        scene.geom(f"label{k}").matid[:] = scene.material(f"label{label}").id
        scene.geom(f"cap{k}").rgba[:3] = cap
    for k in range(model.CAPS):
        scene.geom(f"loose{k}").rgba[:3] = product[2] if rng.random() < 0.7 else _tint(rng)


def _product(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Colours of glass, label and cap, and the label's print."""
    return _tint(rng), 0.45 + 0.55 * _tint(rng), _tint(rng), int(rng.integers(model.LABELS))


def _tint(rng: np.random.Generator) -> np.ndarray:
    """A colour as plastics and glass have them: any lightness, mostly sober, seldom garish."""
    grey, saturation = rng.uniform(0.12, 0.9), 0.7 * rng.uniform(0, 1) ** 2
    return np.clip(grey * (1 + saturation * rng.uniform(-1, 1, 3)), 0.03, 0.97)


def _paint_surroundings(scene: mujoco.MjModel, rng: np.random.Generator) -> None:
    shade = rng.uniform(0.15, 0.5)
    scene.geom("belt").rgba[:3] = shade * (1 + rng.uniform(-0.12, 0.12, 3))
    scene.geom("belt").matid[:] = scene.material(f"belt{rng.integers(model.BELTS)}").id
    scene.geom("belt").pos[1] += rng.uniform(-0.15, 0.15)
    frame = _tint(rng)
    for name in ("frame0", "frame1", "post0", "post1", "beam"):
        scene.geom(name).rgba[:3] = frame
    scene.geom("wall").rgba[:3] = rng.uniform(0.3, 0.75) * (1 + rng.uniform(-0.15, 0.15, 3))
    gantry = rng.uniform(-0.25, 0.8)
    for name in ("post0", "post1", "beam"):
        scene.geom(name).pos[1] += gantry


def _light(scene: mujoco.MjModel, values: Mapping[str, Any], rng: np.random.Generator) -> None:
    """Two lamps side by side, so that shadows have a soft edge and a core."""
    height, warmth = rng.uniform(1.0, 1.5), rng.uniform(-0.1, 0.1)
    apart, share = rng.uniform(10, 40), rng.uniform(0.5, 0.7)
    lamps = (("key", share, 0.0), ("second", 1 - share, apart))
    for name, part, turned in lamps:
        lamp, angle = scene.light(name), np.radians(values["light_angle"] + turned)
        lamp.pos[:] = [0.75 * np.cos(angle), 0.1 + 0.75 * np.sin(angle), height]
        aim = np.array([0.0, 0.08, 0.0]) - lamp.pos  # a lamp that moves without turning gives acne
        lamp.dir[:] = aim / np.linalg.norm(aim)
        lamp.diffuse[:] = part * values["light"] * np.array([1 + warmth, 1.0, 1 - warmth])


def _aim(scene: mujoco.MjModel, values: Mapping[str, Any], rng: np.random.Generator) -> None:
    camera = scene.camera("camera")
    camera.pos[:] = [rng.uniform(-0.05, 0.05), -0.54, values["camera_height"]]
    target = np.array([rng.uniform(-0.02, 0.02), rng.uniform(0.01, 0.05), 0.055])
    back = camera.pos - target
    back /= np.linalg.norm(back)
    right = np.cross([rng.normal(0, 0.02), 0, 1], back)
    right /= np.linalg.norm(right)
    matrix = np.stack([right, np.cross(back, right), back], axis=1)
    mujoco.mju_mat2Quat(scene.camera("camera").quat, matrix.ravel())


def probe() -> str:
    """Draw one small frame; name and version of the OpenGL renderer that did."""
    from OpenGL import GL

    line = Line(16)
    camera = Camera(line, 16)
    camera.objects()
    camera.colours()
    return ", ".join(GL.glGetString(key).decode() for key in (GL.GL_RENDERER, GL.GL_VERSION))
