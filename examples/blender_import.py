"""Run inside Blender: import a motion that headmotion exported, with its speech, and play it at its own rate.

headmotion export talk.npz -o talk.glb
blender --python examples/blender_import.py -- talk.glb --audio speech.wav

Skeletons come from .bvh or .glb, faces from .glb, and blend shapes from a Live Link Face table, whose values go to the
shape keys of the same names of the object named by --object:

blender head.blend --python examples/blender_import.py -- face.csv --object Head --fps 25
"""

import argparse
import csv
import json
import struct
import sys
from fractions import Fraction
from pathlib import Path


def arguments(argv):
    """What follows ``--`` on Blender's command line."""
    parser = argparse.ArgumentParser(prog="blender_import.py", description="Import a motion into Blender.")
    parser.add_argument("motion", type=Path, help=".bvh, .glb, .gltf, or a .csv of Live Link Face")
    parser.add_argument("--audio", type=Path, help="speech to play along")
    parser.add_argument("--object", help="object whose shape keys a .csv moves")
    parser.add_argument("--fps", type=Fraction, help="frames per second, where the file does not say: .csv")
    given = parser.parse_args(argv[argv.index("--") + 1 :] if "--" in argv else [])
    if given.motion.suffix not in (".bvh", ".glb", ".gltf", ".csv"):
        parser.error(f"{given.motion.name} is neither .bvh, .glb, .gltf nor .csv")
    if given.motion.suffix == ".csv" and not (given.object and given.fps):
        parser.error("a .csv needs --object and --fps")
    return given


def rate(path):
    """Frames per second of a .bvh, .glb or .gltf file."""
    if path.suffix == ".bvh":
        line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("Frame Time:"))
        return 1 / Fraction(line.split()[-1]).limit_denominator(100_000)
    data = path.read_bytes()
    if path.suffix == ".glb":
        data = data[20 : 20 + struct.unpack_from("<I", data, 12)[0]]
    return Fraction(json.loads(data)["asset"]["extras"]["fps"])


def blender_rate(fps):
    """Blender's two numbers for a rate: whole frames per second, and what to divide them by."""
    return -(-fps.numerator // fps.denominator), float(-(-fps.numerator // fps.denominator) / fps)


def shapes(path):
    """Values by name of a Live Link Face table, one list per shape, angles of head and eyes left out."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in rows[0] if not name.endswith(("Yaw", "Pitch", "Roll"))]
    return {name: [float(row[name]) for row in rows] for name in names if name not in ("Timecode", "BlendShapeCount")}


def import_shapes(bpy, values, name):
    """Key the shape keys of an object; names may differ in case. Returns the number of frames."""
    keys = {key.name.lower(): key for key in bpy.data.objects[name].data.shape_keys.key_blocks}
    missing = [shape for shape in values if shape.lower() not in keys]
    if missing:
        print(f"{name} has no shape keys {', '.join(missing)}")
    for shape, numbers in values.items():
        if key := keys.get(shape.lower()):
            for frame, value in enumerate(numbers, start=1):
                key.value = value
                key.keyframe_insert("value", frame=frame)
    return max(map(len, values.values()))


def main(bpy, given):
    """Import the files into the open scene."""
    scene = bpy.context.scene
    # First the rate, for importers turn seconds into frames by it.
    scene.render.fps, scene.render.fps_base = blender_rate(given.fps or rate(given.motion))
    known = set(bpy.data.actions)
    if given.motion.suffix == ".csv":
        first, last = 1, import_shapes(bpy, shapes(given.motion), given.object)
    else:
        if given.motion.suffix == ".bvh":
            bpy.ops.import_anim.bvh(filepath=str(given.motion), axis_forward="-Z", axis_up="Y", use_fps_scale=False)
        else:
            bpy.ops.import_scene.gltf(filepath=str(given.motion))
        ranges = [action.frame_range for action in set(bpy.data.actions) - known] or [(1, 1)]
        first, last = round(min(start for start, _ in ranges)), round(max(end for _, end in ranges))
    scene.frame_start, scene.frame_end = first, last
    if given.audio:
        editor = scene.sequence_editor or scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # before Blender 4.4
        strips.new_sound("speech", str(given.audio), channel=1, frame_start=first)
        scene.sync_mode = "AUDIO_SYNC"


if __name__ == "__main__":
    import bpy

    main(bpy, arguments(sys.argv))
