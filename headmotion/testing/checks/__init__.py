"""The checks, one module per kind of part; importing this package fills `headmotion.testing.kit.CHECKS`."""

from . import spec as spec  # isort: skip  # first the checks of every kind, in the order in which they are reported
from . import common as common  # isort: skip
from . import capabilities as capabilities  # isort: skip
from . import surroundings as surroundings  # isort: skip
from . import audio_encoder as audio_encoder
from . import bundled_file as bundled_file
from . import control as control
from . import converter as converter
from . import detector as detector
from . import discriminator as discriminator
from . import generator as generator
from . import loss as loss
from . import metric as metric
from . import motion_file as motion_file
from . import phase as phase
from . import renderer as renderer
from . import representation as representation
from . import syncer as syncer
