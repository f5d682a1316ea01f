"""Detectors: accuracy and speed, compared with MediaPipe's own package and LiteRT where they are installed.

    python benchmarks/detectors.py [SHARED_DATA]

Speed is in time of one core, not on the clock, because others may use it too; frames are 640 x 480. Everything that is
not here (real clips, the packages mediapipe and ai-edge-litert, the file face_landmarker.task) is skipped, and said to
be.
"""

from __future__ import annotations

import argparse
import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch

from headmotion.core.interfaces.specs import BuildContext, DetectorSpec
from headmotion.detectors.face_landmarker.landmarker import as_graph
from headmotion.detectors.face_landmarker.weights import load_networks
from headmotion.detectors.specs import FaceMeshSpec, MediapipeSpec
from headmotion.media.image import read_picture
from headmotion.representations.specs import Landmarks68Spec, Mesh478Spec

ROOT = Path(__file__).parent.parent
FRAMES, SIZE = 100, (640, 480)
REPEATS = 3
"""Times that something is measured; the fastest counts, because others use the machine too."""

Points = npt.NDArray[np.float32]
Frames = list[npt.NDArray[np.uint8]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=ROOT.parent / "shared" / "data")
    data = parser.parse_args().data
    torch.set_num_threads(1)
    networks(data / "models" / "face_landmarker.task")
    speed(frames(data))
    first_frames(data / "grid_s1")
    pictures(data)


def rgb(frame: Any) -> Any:
    """Return a decoded frame as ``uint8 [H, W, 3]``."""
    return frame.to_ndarray(format="rgb24")


def frames(data: Path) -> Frames:
    """Return frames of 640 x 480 with a face: of a real video, else of the bundled portrait, which is moved about."""
    width, height = SIZE
    videos = sorted((data / "videos").glob("*.mpg"))
    if videos:
        with av.open(str(videos[0])) as container:
            decoded = [rgb(frame) for frame in container.decode(video=0)]
        resized: Any = [cv2.resize(decoded[k % len(decoded)], SIZE) for k in range(FRAMES)]
        return resized
    portrait = read_picture(ROOT / "headmotion" / "assets" / "portrait.png")
    moves = [np.array([[1, 0, 60 + 20 * np.sin(k / 8)], [0, 1, 10 * np.cos(k / 5)]]) for k in range(FRAMES)]
    moved: Any = [cv2.warpAffine(portrait, move, (width, height)) for move in moves]
    return moved


def networks(task: Path) -> None:
    """Print the time of the networks next to LiteRT's, and how far their outputs differ."""
    ours = load_networks(torch.device("cpu"))
    finder, mesh = as_graph(ours.finder, 128, ours.device), as_graph(ours.mesh, 256, ours.device)
    calls: dict[str, tuple[str, tuple[int, ...], Callable[[Any], Any]]] = {
        "finder": ("face_detector.tflite", (1, 128, 128, 3), lambda x: finder(x.permute(0, 3, 1, 2))[0]),
        "mesh": ("face_landmarks_detector.tflite", (1, 256, 256, 3), lambda x: mesh(x.permute(0, 3, 1, 2))[0]),
        "blend shapes": ("face_blendshapes.tflite", (1, 146, 2), ours.blendshapes.outputs),
    }
    litert = find_spec("ai_edge_litert") is not None and task.is_file()
    print("networks, ms of one core" + ("" if litert else " (LiteRT or face_landmarker.task are not here: skipped)"))
    for name, (file, shape, call) in calls.items():
        inputs = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            output, milliseconds = call(inputs).numpy(), fastest(partial(call, inputs))
        line = f"  {name:13} {milliseconds:6.2f}"
        if litert:
            interpreter, outputs = _litert(task, file, inputs.numpy())
            reference = next(candidate for candidate in outputs if candidate.size == output.size)
            difference = np.abs(output.ravel() - reference.ravel()).max() / np.abs(reference).max()
            line += f"   LiteRT {fastest(interpreter.invoke):6.2f}   relative difference {difference:.1e}"
        print(line)


def _litert(task: Path, file: str, inputs: npt.NDArray[np.float32]) -> tuple[Any, list[Points]]:
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

    with zipfile.ZipFile(io.BytesIO(task.read_bytes())) as bundle:
        interpreter = Interpreter(model_content=bundle.read(file), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    return interpreter, [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


def fastest(call: Callable[[], Any], count: int = 10) -> float:
    """Return milliseconds of one call: the fastest of some rounds."""
    rounds = []
    for _ in range(REPEATS + 1):
        begun = time.process_time()
        for _ in range(count):
            call()
        rounds.append(time.process_time() - begun)
    return 1000 * min(rounds[1:]) / count


def speed(pictures: Frames) -> None:
    """Print frames per second of detectors and of the tracker."""
    print(f"frames of {SIZE[0]} x {SIZE[1]} per second of one core")
    detector = FaceMeshSpec().build(BuildContext(Landmarks68Spec(dims=3).build(), 0))
    tracker = detector.tracker()  # type: ignore[operator]
    print(f"  face-mesh, following      {_rate(tracker.push, pictures):7.1f}")
    print(f"  face-mesh, each anew      {_rate(lambda picture: detector.detect([picture]), pictures[:20]):7.1f}")
    print(f"  face-mesh, 20 at once     {20 * _rate(lambda _: detector.detect(pictures[:20]), pictures[:1]):7.1f}")
    if find_spec("mediapipe") is None:
        print("  mediapipe is not here: skipped")
        return
    original = MediapipeSpec().build(BuildContext(Landmarks68Spec(dims=3).build(), 0))
    print(f"  mediapipe, each anew      {_rate(lambda picture: original.detect([picture]), pictures[:20]):7.1f}")


def _rate(call: Callable[[Any], Any], pictures: Frames) -> float:
    call(pictures[0])
    rounds = []
    for _ in range(REPEATS):
        begun = time.process_time()
        for picture in pictures:
            call(picture)
        rounds.append(time.process_time() - begun)
    return len(pictures) / min(rounds)


def first_frames(folder: Path) -> None:
    """Print how far landmarks of small first frames are from those found in the larger originals."""
    clips = sorted(folder.glob("*.mp4"))
    if not clips:
        print(f"first frames of GRID: no clips in {folder}, skipped")
        return
    print(f"first frames of {len(clips)} GRID clips at 128 x 128, distance in eye distances: mean, 95 %, largest")
    for spec in _installed():
        detector = spec.build(BuildContext(Landmarks68Spec(dims=3).build(), 0))
        distances = []
        for clip in clips:
            stored = np.load(clip.with_suffix(".npz"))
            (x, y, side), expected = stored["crop_box"], stored["landmarks"][0]
            with av.open(str(clip)) as container:
                picture = rgb(next(container.decode(video=0)))
            scale = side / len(picture)
            # Middles of pixels are whole numbers in both pictures.
            offset = np.array([x, y, 0]) + np.array([0.5, 0.5, 0]) * (scale - 1)
            pose = np.asarray(detector.detect([picture])[0][0].pose) * scale + offset
            distances.append(distance(pose, expected, (36, 45)))
        quantile, largest = np.percentile(distances, 95), max(distances)
        print(f"  {spec.type_name():12} {np.mean(distances):.4f}  {quantile:.4f}  {largest:.4f}")


def _installed() -> Iterator[DetectorSpec]:
    yield FaceMeshSpec()
    if find_spec("mediapipe") is not None:
        yield MediapipeSpec()


def pictures(data: Path) -> None:
    """Print how far meshes are from those of MediaPipe's own pipeline with the same networks."""
    task = data / "models" / "face_landmarker.task"
    if find_spec("mediapipe") is None or not task.is_file():
        print("MediaPipe's own pipeline: mediapipe or face_landmarker.task are not here, skipped")
        return
    detector = FaceMeshSpec().build(BuildContext(Mesh478Spec().build(), 0))
    distances, original = [], _pipeline(task)
    for path in sorted((data / "clips").glob("*.jpg")):
        picture = read_picture(path)
        distances += [distance(detector.detect([picture])[0][0].pose, original(picture), (33, 263))]
    for path in sorted((data / "videos").glob("*.m*")):
        with av.open(str(path)) as container:
            decoded = [rgb(frame) for frame in container.decode(video=0)][::25]
        distances += [
            distance(detector.detect([picture])[0][0].pose, original(picture), (33, 263)) for picture in decoded
        ]
    spread = f"mean {np.mean(distances):.5f}, {max(distances):.5f}"
    print(f"{len(distances)} pictures, distance from MediaPipe's own pipeline: {spread}")


def _pipeline(task: Path) -> Callable[[npt.NDArray[np.uint8]], Points]:
    import mediapipe  # type: ignore[import-not-found]

    options = mediapipe.tasks.vision.FaceLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(task))
    )
    landmarker = mediapipe.tasks.vision.FaceLandmarker.create_from_options(options)

    def find(picture: npt.NDArray[np.uint8]) -> Points:
        height, width = picture.shape[:2]
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        (face,) = landmarker.detect(image).face_landmarks
        return np.array([(point.x * width, point.y * height, point.z * width) for point in face], np.float32)

    return find


def distance(detected: npt.ArrayLike, expected: npt.NDArray[Any], eyes: tuple[int, int]) -> float:
    """Return the mean distance of points in the plane, in distances of the outer eye corners."""
    away = np.linalg.norm((np.asarray(detected) - expected)[:, :2], axis=1).mean()
    return float(away / np.linalg.norm(expected[eyes[0], :2] - expected[eyes[1], :2]))


if __name__ == "__main__":
    main()
