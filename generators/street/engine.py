"""Panda3D without a window: one mesh in, colours, object numbers, tags and distances out."""

from dataclasses import dataclass

import numpy as np
from panda3d.core import (
    AntialiasAttrib,
    BitMask32,
    Camera,
    ColorWriteAttrib,
    DirectionalLight,
    FrameBufferProperties,
    Geom,
    GeomEnums,
    GeomNode,
    GeomTriangles,
    GeomVertexArrayFormat,
    GeomVertexData,
    GeomVertexFormat,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    InternalName,
    NodePath,
    PerspectiveLens,
    PTALVecBase4f,
    RenderState,
    Shader,
    Texture,
    TransformState,
    Vec3,
    Vec4,
    WindowProperties,
    load_prc_file_data,
)

from raresight.generators import opengl
from raresight.generators.base import Unavailable
from raresight.generators.drawing.sensor import averaged
from raresight.generators.street import shaders
from raresight.generators.street.meshes import Heap, Mesh

NEAR, FAR = 0.3, 150.0
_SHADOW_MAP = 1024
_SAMPLES = 4
FINER = 2  # each way, how many pixels are drawn for one: poles do not break into dots
_SEEN, _NUMBERED, _SHADED = (BitMask32.bit(k) for k in range(3))

load_prc_file_data(
    "",
    "load-display p3headlessgl\naudio-library-name null\nframebuffer-hardware 0\n"
    "textures-power-2 none\nnotify-level-display error\nnotify-level-glxdisplay error\n",
)


@dataclass(frozen=True, kw_only=True)
class Light:
    """Light and air of a scene; colours are linear (r, g, b).

    ``sun`` shines from ``towards_sun`` (a unit vector), ``ambient`` from the sky; ``fog`` takes
    1 - 1/e of the view after 1 / ``density`` metres; ``headlights`` and the lanterns at ``lamps``
    (x, y, z) shine with the strengths given.
    """

    sun: tuple[float, float, float]
    towards_sun: tuple[float, float, float]
    ambient: tuple[float, float, float]
    zenith: tuple[float, float, float]
    fog: tuple[float, float, float]
    density: float
    headlights: float
    lamps: tuple[tuple[float, float, float], ...]
    lamp_strength: float
    exposure: float


@dataclass(frozen=True, kw_only=True)
class View:
    """Where the camera is, where it looks (degrees), and its field of view."""

    place: tuple[float, float, float]
    heading: float
    pitch: float
    fov: float


@dataclass(frozen=True, kw_only=True)
class Frame:
    """``colours`` uint8 (H, H, 3), object ``numbers`` uint16, semantic ``tags`` uint8, ``depth``
    float32 in metres from the camera's plane; all (H, H), top row first."""

    colours: np.ndarray
    numbers: np.ndarray
    tags: np.ndarray
    depth: np.ndarray


class Stage:
    """Draws scenes of one size; built once in a process, and left as it was by each scene."""

    def __init__(self, size: int):
        self._size = size
        self._engine = GraphicsEngine()
        pipe = GraphicsPipeSelection.get_global_ptr().make_module_pipe("p3headlessgl")
        if pipe is None:
            raise Unavailable("Panda3D has no headless OpenGL here (p3headlessgl).")
        self._seen = self._buffer(pipe, "seen", finer=FINER, samples=_SAMPLES)
        self._numbered = self._buffer(pipe, "numbered", host=self._seen)
        self._textures = [Texture() for _ in range(3)]
        copy = GraphicsOutput.RTM_copy_ram
        self._seen.add_render_texture(self._textures[0], copy, GraphicsOutput.RTP_color)
        self._numbered.add_render_texture(self._textures[1], copy, GraphicsOutput.RTP_color)
        self._numbered.add_render_texture(self._textures[2], copy, GraphicsOutput.RTP_depth)
        self._root = NodePath("root")
        self._things, self._ground = self._add_node("things"), self._add_node("ground")
        self._lens = PerspectiveLens()
        self._lens.set_near_far(NEAR, FAR)
        self._camera = self._add_cameras()
        self._sun = self._add_sun()
        self._root.set_shader(Shader.make(Shader.SL_GLSL, shaders.VERTEX, shaders.FRAGMENT))
        self._root.set_antialias(AntialiasAttrib.M_multisample)
        self._root.set_shader_input("texel", 1.0 / _SHADOW_MAP)
        self._first = True
        opengl.close_at_exit(self._engine.remove_all_windows)

    @property
    def renderer(self) -> str:
        """Name and version of the OpenGL renderer."""
        driver = self._seen.get_gsg()
        return f"{driver.driver_renderer}, {driver.driver_version}"

    def _buffer(
        self,
        pipe: GraphicsPipe,
        name: str,
        *,
        finer: int = 1,
        samples: int = 0,
        host: GraphicsOutput | None = None,
    ) -> GraphicsOutput:
        properties = FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        properties.set_multisamples(samples)
        window = WindowProperties.size(self._size * finer, self._size * finer)
        asked = (pipe, name, host is not None, properties, window, GraphicsPipe.BF_refuse_window)
        shared = (host.get_gsg(), host) if host else ()
        if (made := self._engine.make_output(*asked, *shared)) is None:  # it raises nothing
            raise Unavailable("Panda3D found no EGL device to draw with.")
        return made

    def _add_node(self, name: str) -> GeomNode:
        """For one of the two meshes; the ground is drawn last, since most of it is hidden."""
        node = GeomNode(name)
        path = self._root.attach_new_node(node)
        path.set_bin("fixed", name == "ground")
        if name == "ground":
            path.hide(_SHADED)  # it would fill the shadow map, and casts no shadow
        return node

    def _add_cameras(self) -> NodePath:
        """One that sees, and one in the same place that reads numbers; without blended edges."""
        camera = Camera("seen", self._lens)
        camera.set_camera_mask(_SEEN)
        seen = self._root.attach_new_node(camera)
        self._seen.make_display_region().set_camera(seen)
        reader = Camera("numbered", self._lens)
        reader.set_camera_mask(_NUMBERED)
        state = NodePath("numbers")
        state.set_shader(Shader.make(Shader.SL_GLSL, shaders.ID_VERTEX, shaders.ID_FRAGMENT), 100)
        state.set_antialias(AntialiasAttrib.M_none, 100)
        reader.set_initial_state(state.get_state())
        self._numbered.make_display_region().set_camera(seen.attach_new_node(reader))
        self._numbered.set_clear_color((0, 0, 0, 1))
        return seen

    def _add_sun(self) -> NodePath:
        sun = DirectionalLight("sun")
        sun.set_shadow_caster(True, _SHADOW_MAP, _SHADOW_MAP)
        sun.get_lens().set_film_size(52, 52)
        sun.get_lens().set_near_far(1, 110)
        # Without a state of its own the shadow map is drawn by the full shader: ten times slower.
        state = NodePath("shadow")
        state.set_shader(Shader.make(Shader.SL_GLSL, shaders.ID_VERTEX, shaders.ID_FRAGMENT), 100)
        state.set_antialias(AntialiasAttrib.M_none, 100)
        state.set_attrib(ColorWriteAttrib.make(ColorWriteAttrib.C_off), 1000)
        sun.set_camera_mask(_SHADED)
        sun.set_initial_state(state.get_state())
        node = self._root.attach_new_node(sun)
        self._root.set_light(node)
        return node

    def draw(self, mesh: Mesh, light: Light, view: View) -> Frame:
        """Draw one scene."""
        vertices, nodes = _vertices(mesh.vertices), (self._things, self._ground)
        for node, triangles in zip(nodes, (mesh.things, mesh.ground), strict=True):
            node.remove_all_geoms()
            node.add_geom(_geom(vertices, triangles))
        self._set_light(light, view)
        self._lens.set_fov(view.fov)
        self._camera.set_pos(*view.place)
        self._camera.set_hpr(view.heading, view.pitch, 0)
        if self._first:  # the shadow map exists only after a frame
            self._engine.render_frame()
            self._first = False
        self._engine.render_frame()
        frame = self._read()
        for kind in (RenderState, TransformState):  # as Panda3D's own main loop would: they leak
            kind.garbage_collect()
        return frame

    def _set_light(self, light: Light, view: View) -> None:
        towards = np.array(light.towards_sun)
        middle = np.array([0.0, 20.0, 0.0])
        self._sun.set_pos(*(middle + 55 * towards))
        self._sun.look_at(*middle)
        self._sun.node().set_color((*light.sun, 1))
        vectors = {"sun_colour": light.sun, "towards_sun": light.towards_sun}
        vectors |= {"ambient": light.ambient, "zenith": light.zenith, "eye": view.place}
        inputs = {
            **{name: Vec3(*vector) for name, vector in vectors.items()},
            "fog": Vec4(*light.fog, light.density),
            "headlights": light.headlights,
            "exposure": light.exposure,
            "lamps": _lamps(light),
        }
        for name, value in inputs.items():
            self._root.set_shader_input(name, value)

    def _read(self) -> Frame:
        size = self._size
        colours, numbers = (
            np.frombuffer(texture.get_ram_image_as("RGB"), np.uint8).reshape(side, side, 3)[::-1]
            for texture, side in zip(self._textures, (size * FINER, size), strict=False)
        )
        z = np.frombuffer(self._textures[2].get_ram_image(), np.float32).reshape(size, size)[::-1]
        return Frame(
            colours=averaged(colours, FINER),
            numbers=numbers[..., 0].astype(np.uint16),
            tags=numbers[..., 1].copy(),
            depth=NEAR * FAR / (FAR - (FAR - NEAR) * z),
        )


def _lamps(light: Light) -> PTALVecBase4f:
    """A fixed number of lanterns for the shader; those that are not there have no strength."""
    lamps = [Vec4(*place, light.lamp_strength) for place in light.lamps[: shaders.LAMPS]]
    return PTALVecBase4f(lamps + [Vec4(0, 0, 0, 0)] * (shaders.LAMPS - len(lamps)))


def _format() -> GeomVertexFormat:
    columns = GeomVertexArrayFormat()
    seen = ((3, "vertex", GeomEnums.C_point), (3, "normal", GeomEnums.C_normal))
    told = ((3, "paint", GeomEnums.C_other), (3, "marks", GeomEnums.C_other))
    for count, name, meaning in (*seen, *told):
        columns.add_column(InternalName.make(name), count, GeomEnums.NT_float32, meaning)
    form = GeomVertexFormat()
    form.add_array(columns)
    return GeomVertexFormat.register_format(form)


_FORMAT = _format()


def _vertices(values: np.ndarray) -> GeomVertexData:
    data = GeomVertexData("scene", _FORMAT, Geom.UH_static)
    data.unclean_set_num_rows(len(values))
    memoryview(data.modify_array(0)).cast("B")[:] = values.tobytes()
    return data


def _geom(vertices: GeomVertexData, triangles: np.ndarray) -> Geom:
    primitive = GeomTriangles(Geom.UH_static)
    primitive.set_index_type(Geom.NT_uint32)
    index = primitive.modify_vertices()
    index.unclean_set_num_rows(triangles.size)
    memoryview(index).cast("B")[:] = triangles.tobytes()
    geom = Geom(vertices)
    geom.add_primitive(primitive)
    return geom


def probe() -> str:
    """Draw one small frame; name and version of the OpenGL renderer that did."""
    heap = Heap()
    heap.begin(1)
    heap.add("box", (0, 5, 0), (2, 2, 2), (0.5, 0.5, 0.5))
    black = (0.0, 0.0, 0.0)
    light = Light(
        sun=(1, 1, 1), towards_sun=(0, 0, 1), ambient=(1, 1, 1), zenith=black, fog=black, density=0,
        headlights=0, lamps=(), lamp_strength=0, exposure=1,
    )  # fmt: skip
    stage = Stage(16)
    frame = stage.draw(heap.bake(), light, View(place=black, heading=0, pitch=0, fov=60))
    if not (frame.numbers.any() and frame.colours.any()):
        raise Unavailable("a box in front of the camera was not drawn")
    return stage.renderer
