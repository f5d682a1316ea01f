import numpy as np

from headmotion.renderers.portrait import opencv_maps
from headmotion.renderers.portrait.opencv_maps import as_pairs, look_up


def test_values_are_looked_up_at_positions_of_any_shape(monkeypatch):
    ramp = np.tile(np.arange(50, dtype=np.float32), (40, 1))
    points = (np.linspace(1, 48, 60).reshape(4, 15) + 7j).astype(np.complex64)
    for row in (2**15 - 1, 10):  # in one row, or as they lie
        monkeypatch.setattr(opencv_maps, "ROW", row)
        assert np.allclose(look_up(ramp, points), points.real, atol=0.02)
        assert look_up(np.dstack([ramp] * 3).astype(np.uint8), points).shape == (4, 15, 3)
    assert look_up(ramp, np.array([-9 - 9j]), outside=5.0) == 5
    monkeypatch.undo()
    assert np.allclose(look_up(ramp, points.ravel()), points.real.ravel(), atol=0.02)


def test_complex_points_are_pairs():
    points = np.array([[1 + 2j, 3 - 4j]])
    assert as_pairs(points).tolist() == [[[1, 2], [3, -4]]]
    assert as_pairs(points.T[:, 0]).shape == (2, 2)
