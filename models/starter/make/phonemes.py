"""Text to IPA phonemes, clause by clause, through the system's espeak-ng library."""

import ctypes
import re

_RETRIEVAL_MODE, _UTF8, _IPA = 2, 1, 2


class Phonemiser:
    """One espeak-ng instance; the library has one voice a process."""

    def __init__(self, voice: str = "en-us"):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
        if self.library.espeak_Initialize(_RETRIEVAL_MODE, 0, None, 0x8000) < 0:
            raise OSError("espeak-ng did not start")
        self.library.espeak_SetVoiceByName(voice.encode())

    def clauses(self, text: str) -> list[str]:
        """The IPA of each clause that espeak-ng sees, without punctuation."""
        kept = ctypes.c_char_p(text.encode())
        at, out = ctypes.c_void_p(ctypes.cast(kept, ctypes.c_void_p).value), []
        while at.value:
            out.append(self.library.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _IPA).decode())
        return out

    def with_punctuation(self, text: str) -> str:
        """The IPA of a sentence, each clause followed by its own mark, as Piper voices expect."""
        out = []
        for clause in re.findall(r"[^,.?!;:]+[,.?!;:]*", text):
            mark = clause.strip()[-1:]
            out.append("".join(self.clauses(clause)) + (mark if mark in ",.?!;:" else ""))
        return " ".join(out).strip()
