"""DICOM files, written by pydicom, become pixels by their own scale or by a range in its units."""

import importlib.util
import io

import numpy as np
import pytest
from image_folders import folder, read_all
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from raresight.generators.base import BadImages
from raresight.generators.image_file import Reading, read_image


def dicom(pixels: np.ndarray, *, bits: int, **elements) -> bytes:
    """A DICOM file of (H, W) values of so many bits, or (H, W, 3) of 8 in color."""
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    one.Rows, one.Columns = pixels.shape[:2]
    one.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    one.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        one.PlanarConfiguration = 0
    one.BitsAllocated = 8 * pixels.dtype.itemsize
    one.BitsStored, one.HighBit = bits, bits - 1
    one.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    one.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(one, name, value)
    out = io.BytesIO()
    one.save_as(out, enforce_file_format=True)
    return out.getvalue()


RAMP = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)


def gray(content: bytes, **reading) -> np.ndarray:
    pixels = read_image(content, 8, Reading(**reading))
    assert (pixels == pixels[:, :, :1]).all()
    return pixels[:, :, 0]


def test_twelve_bits_that_say_so_fill_the_range():
    expected = np.rint(RAMP / 4095 * 255)
    assert (gray(dicom(RAMP, bits=12)) == expected).all()
    inverted = dicom(RAMP, bits=12, PhotometricInterpretation="MONOCHROME1")
    assert np.abs(gray(inverted) - (255 - expected)).max() <= 1


def test_a_ct_is_read_in_hounsfield_units():
    stored = RAMP.astype(np.int16)
    content = dicom(stored, bits=13, RescaleSlope=1, RescaleIntercept=-1024)
    window = gray(content, range=(-160, 240))  # soft tissue
    units = stored.astype(float) - 1024
    assert (window == np.rint(np.clip((units + 160) / 400, 0, 1) * 255)).all()
    whole = gray(content)  # 13 bits with a sign
    assert (whole == np.rint((units + 1024 + 4096) / 8191 * 255)).all()


def test_color_and_the_first_of_several_frames_are_read():
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (8, 8, 3), np.uint8)
    assert (read_image(dicom(color, bits=8), 8) == color).all()
    frames = np.stack((RAMP, RAMP[::-1]))
    content = dicom(frames[0], bits=12, NumberOfFrames=2, PixelData=frames.tobytes())
    assert (gray(content) == gray(dicom(RAMP, bits=12))).all()


def test_a_folder_of_dicom_files_whatever_their_names(tmp_path):
    for k, name in enumerate(("a/1.dcm", "a/IM0001", "b/1.dcm", "b/IM0002")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(dicom(RAMP + np.uint16(k), bits=13))
    made = read_all(folder(tmp_path, 8, range="percentile"))
    assert len(made) == 4
    assert max(int(sample.image.max()) for sample in made.values()) == 255


def test_what_cannot_be_read_is_told(tmp_path, monkeypatch):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.dcm").write_bytes(dicom(RAMP, bits=12))
    (tmp_path / "b" / "1.dcm").write_bytes(dicom(RAMP, bits=12)[:-40])
    with pytest.raises(BadImages, match=r"has 1 unreadable files(.|\n)*b/1.dcm"):
        read_all(folder(tmp_path, 8))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "raresight.generators.reading.dicom.find_spec",
        lambda name: None if name == "pydicom" else found(name),
    )
    with pytest.raises(BadImages, match=r"needs pydicom: pip install 'raresight\[dicom\]'"):
        read_all(folder(tmp_path, 8))
