"""Bottles set down, pushed over or dropped; what came of it is read from where they come to rest.

What is asked for decides only how the bottles start. A bottle dropped on the others may slide off
and lie there: then the scene is `toppled`, whatever was wanted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from raresight.generators.conveyor import NO_CAP, OK, STACKED, TOPPLED, model

_STEPS, _MORE, _ROUNDS = (
    200,
    100,
    3,
)  # of 5 ms: one second, and half a second more up to three times
_AT_REST = 0.12  # m/s and rad/s (of a rolling bottle's rim: 4 mm a second) of the fastest bottle
_UPRIGHT = 0.8  # cosine of the tilt below which a bottle counts as toppled
_AREA = ((-0.15, 0.15), (-0.13, 0.21))  # where bottles may be set down: across, along
_APART = 0.078  # between two axes; bottles of 7 cm do not touch
_PAIRED = 0.095  # and at most between those of the pair
# What scenes change in the model, and what is therefore put back before each.
_CHANGED = (
    *("geom_rgba", "geom_pos", "geom_friction", "geom_contype", "geom_conaffinity", "geom_matid"),
    *("light_pos", "light_dir", "light_diffuse", "cam_pos", "cam_quat", "cam_fovy"),
)
_UNTURNED = (1.0, 0.0, 0.0, 0.0)  # a quaternion
_PARKED = 40.0  # metres to the side: unused bodies fall there, out of sight and of reach


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A scene at rest: ``label``, the bottles at fault (from 0), and the cosine of the tilt of the
    bottle that is tilted most."""

    label: str
    culprits: tuple[int, ...]
    upright: float


class Line:
    """The simulated line; every scene starts from the same state of the model."""

    def __init__(self, size: int):
        self.model = mujoco.MjModel.from_xml_string(model.xml(size * model.FINER), model.pictures())
        self.data = mujoco.MjData(self.model)
        self._bottles = [self.model.body(f"bottle{k}").id for k in range(model.BOTTLES)]
        self._loose = [self.model.body(f"loose{k}").id for k in range(model.CAPS)]
        self._caps = [self.model.geom(f"collide_cap{k}").id for k in range(model.BOTTLES)]
        self._first = {name: getattr(self.model, name).copy() for name in _CHANGED}

    def reset(self) -> None:
        """Undo what earlier scenes changed: no order of scenes may leak into another's bytes."""
        for name, value in self._first.items():
            getattr(self.model, name)[...] = value
        mujoco.mj_resetData(self.model, self.data)

    def bottle_of_body(self) -> np.ndarray:
        """The number of each body in a picture: 1 for the first bottle, 0 for what is no bottle."""
        numbers = np.zeros(self.model.nbody, np.uint16)
        numbers[self._bottles] = np.arange(1, model.BOTTLES + 1)
        return numbers

    def settle(
        self, wanted: str, values: Mapping[str, Any], rng: np.random.Generator
    ) -> Settled | None:
        """Start a scene meant to come out as ``wanted``; None where it does not come to rest, or a
        bottle falls off the belt."""
        count = values["bottles"]
        self.model.geom_friction[:, 0] = values["friction"]
        places, heading = _places(count, rng)
        for k in range(model.BOTTLES):
            self._put(self._bottles[k], (_PARKED + k, 0.0, 0.0))
        for k in range(count):
            self._stand(k, places[k], rng)
        self._scatter_caps(values["loose_caps"], rng)
        if wanted == STACKED:
            self._drop(count, places, heading, rng)
            count += 1
        elif wanted != OK:
            self._spoil(wanted, int(rng.integers(count)), places, rng)
        return self._read(count) if self._come_to_rest(count) else None

    def _put(
        self, body: int, position: Iterable[float], quaternion: Iterable[float] = _UNTURNED
    ) -> None:
        start = self.model.jnt_qposadr[self.model.body_jntadr[body]]
        self.data.qpos[start : start + 7] = [*position, *quaternion]

    def _push(self, body: int, velocity: Sequence[float]) -> None:
        start = self.model.jnt_dofadr[self.model.body_jntadr[body]]
        self.data.qvel[start : start + 6] = velocity

    def _stand(self, k: int, place: np.ndarray, rng: np.random.Generator) -> None:
        """Set a bottle down as the filler does: nearly upright, still rocking a little."""
        tilt, turn = rng.normal(0, 0.02), rng.uniform(0, 2 * np.pi, 2)
        self._put(self._bottles[k], (*place, model.BASE + 0.003), _tilted(tilt, *turn))
        self._push(self._bottles[k], (*rng.normal(0, 0.03, 2), 0, 0, 0, 0))

    def _scatter_caps(self, count: int, rng: np.random.Generator) -> None:
        for k, body in enumerate(self._loose):
            x, y = (rng.uniform(*side) for side in _AREA)
            place = (x, y, 0.03) if k < count else (_PARKED, k + 1.0, 0.0)
            self._put(body, place, _tilted(rng.uniform(-0.4, 0.4), *rng.uniform(0, 2 * np.pi, 2)))

    def _spoil(self, wanted: str, k: int, places: np.ndarray, rng: np.random.Generator) -> None:
        if wanted == NO_CAP:
            self._uncap(k)
        else:
            self._tip(k, places[k], rng)

    def _uncap(self, k: int) -> None:
        cap = self._caps[k]
        self.model.geom_contype[cap] = self.model.geom_conaffinity[cap] = 0
        self.model.geom(f"cap{k}").rgba[3] = 0  # neither drawn nor in the masks

    def _tip(self, k: int, place: np.ndarray, rng: np.random.Generator) -> None:
        """Past its balance, so that it falls by itself."""
        tilt = rng.uniform(0.5, 1.6)
        height = model.TOP * abs(np.cos(tilt)) if tilt > np.pi / 2 else model.BASE * np.cos(tilt)
        lift = height + model.RADIUS * np.sin(tilt) + 0.004
        self._put(self._bottles[k], (*place, lift), _tilted(tilt, *rng.uniform(0, 2 * np.pi, 2)))

    def _drop(self, k: int, places: np.ndarray, heading: float, rng: np.random.Generator) -> None:
        """Lay one bottle more across the tops of the pair, which every scene has."""
        along = np.array([np.cos(heading), np.sin(heading)])
        middle = places[:2].mean(axis=0)
        offset = middle + along * rng.normal(-0.002, 0.004) + rng.normal(0, 0.004, 2)
        lift = model.BASE + model.TOP + model.RADIUS + 0.006
        self._put(self._bottles[k], (*offset, lift), _lying(heading + rng.normal(0, 0.08)))

    def _come_to_rest(self, count: int) -> bool:
        mujoco.mj_step(self.model, self.data, nstep=_STEPS)
        for _ in range(_ROUNDS):
            if self._speed(count) < _AT_REST:
                break
            mujoco.mj_step(self.model, self.data, nstep=_MORE)
        heights = self.data.xpos[self._bottles[:count], 2]
        return self._speed(count) < _AT_REST and heights.min() > 0

    def _speed(self, count: int) -> float:
        joints = self.model.jnt_dofadr[self.model.body_jntadr[self._bottles[:count]]]
        speeds = np.abs(self.data.qvel[joints[:, None] + np.arange(6)])
        speeds[:, 3:] *= model.RADIUS
        return float(speeds.max())

    def _read(self, count: int) -> Settled:
        """The worst that there is: a bottle on others, else one that lies, else one left open."""
        bodies = self._bottles[:count]
        upright = self.data.xmat[bodies, 8]
        on_belt, on_bottle = self._contacts()
        found = {
            STACKED: [k for k, b in enumerate(bodies) if b in on_bottle and b not in on_belt],
            TOPPLED: [k for k in range(count) if upright[k] < _UPRIGHT],
            NO_CAP: [k for k in range(count) if not self.model.geom_contype[self._caps[k]]],
        }
        label = next((name for name, culprits in found.items() if culprits), OK)
        culprits = tuple(found.get(label, ()))
        return Settled(label=label, culprits=culprits, upright=float(upright.min()))

    def _contacts(self) -> tuple[set[int], set[int]]:
        """Bodies that touch the line, and bodies that touch a bottle."""
        pairs = self.model.geom_bodyid[self.data.contact.geom[: self.data.ncon]]
        touching = [*pairs.tolist(), *pairs[:, ::-1].tolist()]
        bottles = set(self._bottles)
        return {a for a, b in touching if b == 0}, {a for a, b in touching if b in bottles}


def _places(count: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Where ``count`` bottles stand, (count, 2): at random, none too near to another.

    The first two stand close together, whatever is to become of the scene, so that a pair that
    carries a third is no sign of it; returned too is the direction from the one to the other.
    """
    low, high = np.array(_AREA).T
    while True:
        heading, apart = rng.uniform(0, np.pi), rng.uniform(_APART, _PAIRED)
        along = np.array([np.cos(heading), np.sin(heading)])
        middle = rng.uniform(low + _PAIRED / 2, high - _PAIRED / 2)
        chosen = [middle - along * apart / 2, middle + along * apart / 2]
        tried = rng.uniform(low, high, (12, 2))
        for place in tried:
            if all(np.hypot(*(place - other)) > _APART for other in chosen):
                chosen.append(place)
        if len(chosen) >= count:
            return np.array(chosen[:count]), heading


def _tilted(tilt: float, heading: float, spin: float) -> np.ndarray:
    """Spun about its own axis, then tilted towards ``heading``."""
    first, second, out = np.empty(4), np.empty(4), np.empty(4)
    axis = np.array([-np.sin(heading), np.cos(heading), 0.0])
    mujoco.mju_axisAngle2Quat(first, axis, tilt)
    mujoco.mju_axisAngle2Quat(second, np.array([0.0, 0.0, 1.0]), spin)
    mujoco.mju_mulQuat(out, first, second)
    return out


def _lying(heading: float) -> np.ndarray:
    return _tilted(np.pi / 2, heading, 0.0)
