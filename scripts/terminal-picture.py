#!/usr/bin/env python3
"""What a terminal shows, as an SVG for the README.

    CLICOLOR_FORCE=1 logrec logs --min-level warning | scripts/terminal-picture.py 'logrec logs …' > docs/terminal.svg

Reads text with ANSI colours from standard input. Needs nothing but Python.
"""
import html
import re
import sys

COLUMNS = 132
WIDTH, HEIGHT, PAD = 7.25, 18, 14
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff", "1;31": "#ffa198", "2": "#8b949e"}


def spans(line: str) -> str:
    """One line as SVG text spans, cut at the terminal's width."""
    out, colour, room = [], None, COLUMNS
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            colour = COLOURS.get(part[2:-1])
        elif part and room > 0:
            text = part[:room]
            room -= len(text)
            style = f' fill="{colour}"' if colour else ""
            weight = ' font-weight="bold"' if colour == COLOURS["1;31"] else ""
            out.append(f"<tspan{style}{weight}>{html.escape(text, quote=False)}</tspan>")
    return "".join(out)


def main() -> None:
    lines = [f"$ {sys.argv[1]}"] + sys.stdin.read().rstrip("\n").split("\n")
    width, height = COLUMNS * WIDTH + 2 * PAD, len(lines) * HEIGHT + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}">')
    print(f"<title>{html.escape(sys.argv[1])}</title>")
    print('<rect width="100%" height="100%" rx="8" fill="#0d1117"/>')
    print('<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="12" fill="#e6edf3">')
    for n, line in enumerate(lines):
        print(f'<text x="{PAD}" y="{PAD + HEIGHT * n + 13}" xml:space="preserve">{spans(line)}</text>')
    print("</g></svg>")


if __name__ == "__main__":
    main()
