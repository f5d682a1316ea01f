"""MediaPipe's Face Landmarker in torch: a face finder, 478 points, 52 blend shapes, and a tracker for videos.

The three networks are Google's (Apache-2.0), converted once by ``tools/convert_face_landmarker.py``; how they are put
together (anchors, crops, thresholds) follows MediaPipe's own graphs, so that the same pictures give the same points.
"""
