import av
import numpy as np
import pytest
from PIL import Image

from headmotion.media.file_kind import file_kind


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    for name in ("PNG", "JPEG", "GIF", "WEBP", "TIFF"):
        picture.save(folder / f"picture-{name}", name)
    with (folder / "arrays.jpg").open("wb") as stream:
        np.savez(stream, landmarks=np.zeros((68, 2)))
    for name in ("video.mp4", "video.mkv", "video.avi", "video.mpg"):
        codec = "mpeg1video" if name == "video.mpg" else "mpeg4"
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(5):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
            container.mux(stream.encode(None))
        (folder / name).rename(folder / f"{name}.dat")
    return folder


def test_files_are_known_by_content(files):
    kinds = {path.name: file_kind(path) for path in files.iterdir()}
    assert {kind for name, kind in kinds.items() if name.startswith("picture")} == {"picture"}
    assert {kind for name, kind in kinds.items() if name.startswith("video")} == {"video"}
    assert kinds["arrays.jpg"] == "arrays"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", b"cut", "picture"),
        ("a.mp4", b"", "video"),
        ("a.npz", b"no zip", "arrays"),
        ("a.txt", b"some words, and more of them\n" * 40, None),
        ("a", b"", None),
        ("photo.jpg", b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf", "picture"),
    ],
)
def test_what_a_damaged_file_was_meant_to_be(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert file_kind(tmp_path / name) == kind
