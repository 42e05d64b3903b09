"""A program in a pseudo-terminal: what it shows, as a person would see it, and keys for it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PIECE = re.compile(
    r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78()][AB0]?|([^\x1b])", re.DOTALL
)
"""``ESC [ 2 ; 5 H``, a title, a switch of the keypad, a character."""


class Screen:
    """The cells of a terminal, as far as a program that draws by moving the cursor needs one."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0

    @property
    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def feed(self, text: str) -> None:
        for numbers, letter, character in _PIECE.findall(text):
            if letter:
                self._control(letter, [int(each) for each in re.findall(r"\d+", numbers)])
            elif character:
                self._put(character)

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character.isprintable():
            self.cells[self.row][min(self.column, self.columns - 1)] = character
            self.column += 1

    def _control(self, letter: str, numbers: list[int]) -> None:
        count = numbers[0] if numbers else 1
        if letter in "Hf":
            self.row, self.column = ([*numbers, 1, 1][:2]) if numbers else (1, 1)
            self.row, self.column = min(self.row, self.rows) - 1, self.column - 1
        elif letter in "ABCD":
            across, down = {"A": (0, -1), "B": (0, 1), "C": (1, 0), "D": (-1, 0)}[letter]
            self.row = min(max(0, self.row + down * count), self.rows - 1)
            self.column = min(max(0, self.column + across * count), self.columns - 1)
        elif letter == "K":
            self.cells[self.row][self.column :] = [" "] * (self.columns - self.column)
        elif letter == "J":
            start = 0 if numbers and numbers[0] == 2 else self.row
            self.cells[start:] = [[" "] * self.columns for _ in range(self.rows - start)]


class PseudoTerminal:
    """A program whose input and output are a terminal of 80 columns and 24 rows."""

    def __init__(self, command, *, cwd, env=None, rows=24, columns=80):
        import fcntl
        import pty
        import struct
        import termios

        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows, columns)
        self.raw = ""
        environ = {"TERM": "xterm-256color", **(os.environ if env is None else env)}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environ, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data.decode("utf-8", "replace")
        self.screen.feed(data.decode("utf-8", "replace"))
        return bool(data)

    def shows(self, *words, gone=(), seconds=60):
        """Wait until the screen shows these words, and none of those."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            text = self.screen.text
            if all(word in text for word in words) and not any(word in text for word in gone):
                return text
            if not self._read(0.2) and self.process.poll() is not None:
                break
        raise AssertionError(f"{words} (without {gone}) never came:\n{self.screen.text}\n{self.raw[-500:]!r}")

    def press(self, keys):
        os.write(self.master, keys.encode())

    def resize(self, rows, columns):
        """Give the terminal another size, as who drags the corner of a window does."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    @property
    def cpu(self):
        """Seconds of CPU time that the program has taken so far, all its threads; None where nobody counts them so."""
        try:
            figures = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        return (int(figures[11]) + int(figures[12])) / os.sysconf("SC_CLK_TCK")

    def ends(self, seconds=60):
        """Wait for the end of the program and return its exit status; what it said is in ``raw``."""
        ends = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < ends:
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.wait(1)
