"""Plots as SVG text, without a library: bars in groups and lines, on linear or logarithmic axes."""
import math
from xml.sax.saxutils import escape

COLOURS = ["#1a5fb4", "#e66100", "#2e8b57", "#813d9c", "#a51d2d", "#63452c", "#5e5c64"]
LEFT, TOP, RIGHT, BOTTOM = 76, 64, 20, 74


def human(value):
    """1200 -> 1.2k; short, for axes and bars."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


class Axis:
    """Where a value lies between two ends, and which values get a mark."""

    def __init__(self, values, log):
        values = [v for v in values if v > 0 or not log]
        self.log = log
        if log:
            self.low = 10 ** math.floor(math.log10(min(values, default=1)))
            self.high = 10 ** math.ceil(math.log10(max(values, default=10)) + 1e-9)
            if self.low == self.high:
                self.high *= 10
        else:
            self.low, top = 0, max(values, default=1) or 1
            step = 10 ** math.floor(math.log10(top))
            step = next(step * k for k in (0.2, 0.5, 1, 2) if top / (step * k) <= 8)
            self.step, self.high = step, math.ceil(top / step - 1e-9) * step

    def at(self, value):
        if self.log:
            value = max(value, self.low)
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def marks(self):
        if self.log:
            return [10 ** k for k in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        return [self.step * k for k in range(round(self.high / self.step) + 1)]


class Picture:
    def __init__(self, title, subtitle, width=900, height=420):
        self.width, self.height = width, height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
                      f'<rect width="{width}" height="{height}" fill="#fff"/>']
        self.text(LEFT, 22, title, size=16, weight="bold")
        self.text(LEFT, 40, subtitle, colour="#5e5c64", size=11)
        self.inner = (LEFT, TOP, width - RIGHT, height - BOTTOM)

    def text(self, x, y, words, *, anchor="start", colour="#241f31", size=12, weight="normal", turn=0):
        around = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" font-weight="{weight}"{around}>'
                          f'{escape(str(words))}</text>')

    def line(self, x1, y1, x2, y2, colour="#deddda", width=1.0, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashes}/>')

    def y_axis(self, axis, label):
        x1, y1, x2, y2 = self.inner
        for mark in axis.marks():
            y = y2 - axis.at(mark) * (y2 - y1)
            self.line(x1, y, x2, y)
            self.text(x1 - 6, y + 4, human(mark), anchor="end")
        self.text(18, (y1 + y2) / 2, label, anchor="middle", turn=-90)

    def legend(self, names):
        x = self.width - RIGHT
        for number, name in reversed(list(enumerate(names))):
            x -= 7 * len(name) + 24
            self.parts.append(f'<rect x="{x}" y="{TOP - 18}" width="11" height="11" fill="{COLOURS[number % len(COLOURS)]}"/>')
            self.text(x + 15, TOP - 8, name)

    def end(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def bars(title, subtitle, label, groups, series, *, log=False, aims=None):
    """`series`: name -> a value for each group, None where there is none. `aims`: a mark for a group, or None."""
    picture = Picture(title, subtitle)
    x1, y1, x2, y2 = picture.inner
    axis = Axis([v for values in series.values() for v in values if v is not None] + [a for a in aims or [] if a], log)
    picture.y_axis(axis, label)
    wide = (x2 - x1) / max(len(groups), 1)
    each = wide * 0.8 / max(len(series), 1)
    for g, group in enumerate(groups):
        left = x1 + g * wide + wide * 0.1
        for s, values in enumerate(series.values()):
            if values[g] is None:
                continue
            tall = max(axis.at(values[g]) * (y2 - y1), 1)
            picture.parts.append(f'<rect x="{left + s * each:.1f}" y="{y2 - tall:.1f}" width="{each * 0.92:.1f}" height="{tall:.1f}" '
                                 f'fill="{COLOURS[s % len(COLOURS)]}"/>')
            picture.text(left + (s + 0.46) * each, y2 - tall - 3, human(values[g]), anchor="middle", size=9 if each < 36 else 10)
        if aims and aims[g]:
            y = y2 - axis.at(aims[g]) * (y2 - y1)
            picture.line(left - 4, y, left + wide * 0.8 + 4, y, "#a51d2d", 1.5, "5 3")
        for row, word in enumerate(group.split(" ")):
            picture.text(left + wide * 0.4, y2 + 16 + 14 * row, word, anchor="middle", size=11)
    picture.legend(list(series) if len(series) > 1 else [])
    if aims and any(aims):
        picture.text(x2, picture.height - 10, "dashed: the aim", anchor="end", colour="#a51d2d", size=11)
    return picture.end()


def lines(title, subtitle, labels, series, *, log_x=True, log_y=False):
    """`labels`: of x and y. `series`: name -> [(x, y), ...]."""
    picture = Picture(title, subtitle)
    x1, y1, x2, y2 = picture.inner
    points = [point for values in series.values() for point in values]
    across, up = Axis([x for x, _ in points], log_x), Axis([y for _, y in points], log_y)
    picture.y_axis(up, labels[1])
    for mark in across.marks():
        x = x1 + across.at(mark) * (x2 - x1)
        picture.line(x, y2, x, y2 + 5, "#5e5c64")
        picture.text(x, y2 + 20, human(mark), anchor="middle")
    picture.text((x1 + x2) / 2, y2 + 42, labels[0], anchor="middle")
    for number, values in enumerate(series.values()):
        colour = COLOURS[number % len(COLOURS)]
        spots = [(x1 + across.at(x) * (x2 - x1), y2 - up.at(y) * (y2 - y1)) for x, y in values]
        picture.parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>')
        picture.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots]
    picture.legend(list(series) if len(series) > 1 else [])
    return picture.end()
