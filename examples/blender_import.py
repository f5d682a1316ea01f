"""Import a motion that headmotion exported into Blender, with its speech, and play it at its own rate.

headmotion export talk.npz -o talk.glb
blender --python examples/blender_import.py -- talk.glb --audio speech.wav

Skeletons come from .bvh or .glb, and faces from .glb. Blend shapes come from a Live Link Face table; its values go to
the shape keys of the same names of the object that --object names:

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
    """Parse what follows ``--`` on Blender's command line."""
    parser = argparse.ArgumentParser(prog="blender_import.py", description="Import a motion into Blender.")
    parser.add_argument("motion", type=Path, help=".bvh, .glb, .gltf, or a .csv of Live Link Face")
    parser.add_argument("--audio", type=Path, help="speech to play along")
    parser.add_argument("--object", help="object whose shape keys a .csv moves")
    parser.add_argument("--fps", type=Fraction, help="frames per second, which a .csv does not state")
    options = parser.parse_args(argv[argv.index("--") + 1 :] if "--" in argv else [])
    if options.motion.suffix not in (".bvh", ".glb", ".gltf", ".csv"):
        parser.error(f"{options.motion.name} is neither .bvh, .glb, .gltf nor .csv")
    if options.motion.suffix == ".csv" and not (options.object and options.fps):
        parser.error("a .csv needs --object and --fps")
    return options


def rate(path):
    """Read the frames per second of a .bvh, .glb or .gltf file."""
    if path.suffix == ".bvh":
        line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("Frame Time:"))
        return 1 / Fraction(line.split()[-1]).limit_denominator(100_000)
    data = path.read_bytes()
    if path.suffix == ".glb":
        data = data[20 : 20 + struct.unpack_from("<I", data, 12)[0]]
    return Fraction(json.loads(data)["asset"]["extras"]["fps"])


def blender_rate(fps):
    """Return Blender's two numbers for a rate: whole frames per second, and what to divide them by."""
    whole = -(-fps.numerator // fps.denominator)
    return whole, float(whole / fps)


def shapes(path):
    """Read a Live Link Face table: a list of values per blend shape, without the angles of head and eyes."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = [name for name in rows[0] if not name.endswith(("Yaw", "Pitch", "Roll"))]
    return {name: [float(row[name]) for row in rows] for name in names if name not in ("Timecode", "BlendShapeCount")}


def import_shapes(bpy, values, name):
    """Insert keyframes into an object's shape keys, whose names may differ in case; return the number of frames."""
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


def main(bpy, options):
    """Import the files into the open scene."""
    scene = bpy.context.scene
    # The rate comes first, because importers convert seconds to frames by it.
    scene.render.fps, scene.render.fps_base = blender_rate(options.fps or rate(options.motion))
    earlier = set(bpy.data.actions)
    if options.motion.suffix == ".csv":
        first, last = 1, import_shapes(bpy, shapes(options.motion), options.object)
    else:
        if options.motion.suffix == ".bvh":
            bpy.ops.import_anim.bvh(filepath=str(options.motion), axis_forward="-Z", axis_up="Y", use_fps_scale=False)
        else:
            bpy.ops.import_scene.gltf(filepath=str(options.motion))
        ranges = [action.frame_range for action in set(bpy.data.actions) - earlier] or [(1, 1)]
        first, last = round(min(start for start, _ in ranges)), round(max(end for _, end in ranges))
    scene.frame_start, scene.frame_end = first, last
    if options.audio:
        editor = scene.sequence_editor or scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # before Blender 4.4
        strips.new_sound("speech", str(options.audio), channel=1, frame_start=first)
        scene.sync_mode = "AUDIO_SYNC"


if __name__ == "__main__":
    import bpy

    main(bpy, arguments(sys.argv))
