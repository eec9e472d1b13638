"""What the doctor looks at, in the order in which it says so. A new check is an entry here."""

from collections.abc import Callable, Iterator, Mapping

from raresight.pipeline.doctor import dvc_files, leftovers, surroundings
from raresight.pipeline.doctor.finding import Finding, Project

CHECKS: Mapping[str, Callable[[Project], Iterator[Finding]]] = {
    "versions": surroundings.versions,
    "disk": surroundings.disk,
    "device": surroundings.device,
    "fonts": surroundings.fonts,
    "OpenGL": surroundings.opengl,
    "Git": surroundings.git,
    "DVC": surroundings.dvc,
    "dvc.lock": dvc_files.dvc_lock,
    "in use": dvc_files.rwlock,
    "writers": leftovers.locks,
    "half-made": leftovers.half_made,
    "kept training": leftovers.kept_training,
    "kept shards": leftovers.kept_shards,
    "modes": leftovers.modes,
}
