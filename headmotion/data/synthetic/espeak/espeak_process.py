"""A separate program in which the library espeak-ng speaks once: one JSON line in, one JSON line and samples out.

The library keeps state from one utterance to the next, so the same text would sound a little different the second time;
a new process is the only state that is always the same. It imports nothing but the standard library, to start fast.
"""

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

SYNCHRONOUS, PHONEME_EVENTS, IPA, DO_NOT_EXIT, UTF8 = 2, 1, 2, 0x8000, 1
RATE, PITCH, RANGE = 1, 3, 4
PHONEME = 7


class EspeakEvent(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    )


SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(EspeakEvent)
)


def speak(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the answer to a request: rate, version and phonemes (first sample, IPA), and 16-bit samples."""
    library = ctypes.CDLL(request["library"])
    library.espeak_Info.restype = ctypes.c_char_p
    data = request["data"]
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data and data.encode(), PHONEME_EVENTS | IPA | DO_NOT_EXIT)
    if rate <= 0:
        return {"error": f"no data for espeak-ng in {data or 'the usual folder'}"}, b""
    if hasattr(library, "espeak_ng_SetRandSeed"):  # from version 1.52 on, whose own seed is the time
        library.espeak_ng_SetRandSeed(1)
    samples, phonemes = bytearray(), []

    def collect(wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            samples.extend(ctypes.string_at(wave, 2 * count))
        k = 0
        while events[k].type:
            if events[k].type == PHONEME:
                phonemes.append((events[k].sample, events[k].string.decode("utf-8", "ignore")))
            k += 1
        return 0

    callback = SynthCallback(collect)  # a reference, because the library holds none
    library.espeak_SetSynthCallback(callback)
    folder = ctypes.c_char_p()
    version = library.espeak_Info(ctypes.byref(folder)).decode()
    variant = request["name"].partition("+")[2]
    exists = Path(
        (folder.value or b"").decode(), "voices", "!v", variant
    ).exists()  # the library ignores unknown variants
    if library.espeak_SetVoiceByName(request["name"].encode()) or not exists:
        return {"error": "no such language or variant"}, b""
    for number, value in ((RATE, request["words_per_minute"]), (PITCH, request["pitch"]), (RANGE, request["range"])):
        library.espeak_SetParameter(number, value, 0)
    text = request["text"].encode()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 0, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return {"rate": rate, "version": version, "phonemes": phonemes}, bytes(samples)


if __name__ == "__main__":
    answer, spoken = speak(json.loads(sys.stdin.readline()))
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + spoken)
