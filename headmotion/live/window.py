"""A talking picture in a window of the desktop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ..core.errors import HeadmotionError
from ..core.interfaces.renderer import Picture, Renderer
from ..core.motion import Motion

REMEDY = "send frames to another program instead (--vmc, --live-link), or use headmotion studio"


class WindowClosed(Exception):  # an end, like StopIteration
    """The window was closed."""


class Window:
    """Shows each frame as a picture, by tkinter, which Python brings (on Debian: python3-tk).

    Args:
        renderer: draws one picture per frame, such as `headmotion.renderers.portrait.portrait.Portrait`.
        representation: type that the renderer draws; motion is converted to it.
        image: the still picture.
        landmarks: pose ``[P, D]`` in it (px).
        title: of the window.

    Raises:
        HeadmotionError: there is no tkinter, or no display.
    """

    def __init__(
        self,
        renderer: Renderer,
        representation: str,
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        title: str = "headmotion",
    ) -> None:
        try:
            import tkinter
        except ImportError:  # distributions of Linux have it as a package of its own
            raise HeadmotionError("window", "Python's module tkinter", "none installed", REMEDY) from None
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise HeadmotionError("window", "a display", str(error).splitlines()[0], REMEDY) from None
        self._closed_errors = tkinter.TclError
        self._root.title(title)
        self._root.resizable(False, False)
        self._shown = tkinter.PhotoImage(master=self._root)
        tkinter.Label(self._root, image=self._shown, borderwidth=0).pack()
        self._representation, self._waiting = representation, deque[Motion]()
        self._pictures = self._drawn(renderer, image, landmarks)
        self._is_closed = False

    def send(self, frame: Motion, time: Fraction) -> None:
        """Show one frame.

        Raises:
            WindowClosed: the user has closed the window.
            MotionError: no converter leads from the motion to what is drawn.
        """
        self._waiting.append(frame.to(self._representation))
        picture = next(self._pictures)
        height, width = picture.shape[:2]
        content = f"P6 {width} {height} 255\n".encode() + np.ascontiguousarray(picture[..., :3]).tobytes()
        try:
            self._shown.configure(data=content, width=width, height=height)
            self._root.update()
            self._root.winfo_exists()  # fails if it was closed meanwhile
        except self._closed_errors:
            self._is_closed = True
            raise WindowClosed from None

    def close(self) -> None:
        """Close the window; closing twice does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._root.destroy()

    def _drawn(self, renderer: Renderer, image: Picture | None, landmarks: npt.ArrayLike | None) -> Iterator[Picture]:
        def motions() -> Iterator[Motion]:
            while True:  # a renderer asks for a frame when the next picture is due
                yield self._waiting.popleft()

        yield from renderer.frames(motions(), image, landmarks)
