"""Run by Blender as a Python module: import a motion as the example does and write down where everything is.

    python in_blender.py OUT.npz ARGUMENT...

with the arguments of examples/blender_import.py. Names that follow ``--keys`` become shape keys of an object `Head`.
"""

import os
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "examples"))
import blender_import


def head(names):
    """An object with a shape key for each name."""
    head_object = bpy.data.objects.new("Head", bpy.data.meshes.new("Head"))
    bpy.context.scene.collection.objects.link(head_object)
    for name in ("Basis", *names):
        head_object.shape_key_add(name=name)


def positions():
    """World places of the joints of an armature, or else of the vertices of the only mesh, in the current frame."""
    for item in bpy.data.objects:
        if item.type == "ARMATURE":
            return {bone.name: tuple(item.matrix_world @ bone.head) for bone in item.pose.bones}
    (mesh_object,) = (item for item in bpy.data.objects if item.type == "MESH" and item.name != "Head")
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {str(vertex.index): tuple(evaluated.matrix_world @ vertex.co) for vertex in evaluated.to_mesh().vertices}


def keyed():
    """Values of the shape keys of `Head` in the current frame."""
    return {key.name: key.value for key in bpy.data.objects["Head"].data.shape_keys.key_blocks[1:]}


def sounds():
    """First frame and number of frames of each sound."""
    editor = bpy.context.scene.sequence_editor
    strips = () if editor is None else editor.strips if hasattr(editor, "strips") else editor.sequences
    return [(strip.frame_start, strip.frame_final_duration) for strip in strips]


def main(out, arguments):
    """Import, go through all frames, and write names, places and the scene's rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    split = arguments.index("--keys") if "--keys" in arguments else len(arguments)
    arguments, names = arguments[:split], arguments[split + 1 :]
    head(names)
    blender_import.main(bpy, blender_import.arguments(["--", *arguments]))
    scene, frames = bpy.context.scene, []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        frames.append(keyed() if names else positions())
    rate = scene.render.fps / scene.render.fps_base
    values = [list(item.values()) for item in frames]
    np.savez(out, names=list(frames[0]), values=values, rate=rate, sounds=sounds())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)  # Blender as a module may crash where Python ends
