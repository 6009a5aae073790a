#!/usr/bin/env python3
"""Makes variant.txt, pinyin.txt and similar.txt from the Unicode Han Database.

    make-tables.py DIRECTORY    (holding Unihan_*.txt.bz2, e.g. /usr/share/unicode of Debian's unicode-data)

The tables have lines of equal length in code point order, so that the library searches them where they lie.
"""
import bz2
import collections
import pathlib
import sys
import unicodedata

SOURCE = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).parent
HEAD = """# {title}
# Source: Unicode Han Database (Unihan) 15.0.0, {fields}; made by make-tables.py, 2026-11-26.
# Licence: Unicode-3.0, copyright 1991-2022 Unicode, Inc.
# {layout}
"""


def fields(*names):
    found = {name: {} for name in names}
    for file in SOURCE.glob("Unihan_*.txt.bz2"):
        for line in bz2.open(file, "rt", encoding="utf-8"):
            if line.startswith("U+"):
                code, field, value = line.rstrip("\n").split("\t")
                if field in found:
                    found[field][chr(int(code[2:], 16))] = value
    return [found[name] for name in names]


def characters(value):
    return [chr(int(part.split("<")[0][2:], 16)) for part in value.split()]


def padded(char):
    return char + " " * (4 - len(char.encode()))


def write(name, head, lines):
    (HERE / name).write_text(head + "".join(line + "\n" for line in sorted(lines)), encoding="utf-8")
    print(name, len(lines))


TGH, SIMPLIFIED, Z, SEMANTIC = fields("kTGH", "kSimplifiedVariant", "kZVariant", "kSemanticVariant")
MANDARIN, TGHZ, XHC = fields("kMandarin", "kTGHZ2013", "kXHC1983")
CORNERS, CANGJIE, STROKES = fields("kFourCornerCode", "kCangjie", "kTotalStrokes")


def standard_form(char):
    """The form of the 2013 table of standard characters for one that is not in it."""
    for table in (SIMPLIFIED, Z, SEMANTIC):
        standard = [c for c in characters(table.get(char, "")) if c in TGH]
        if standard:
            # Of several (鍾: 钟, 锺) the one that stands earlier in the table is the common one.
            return min(standard, key=lambda c: int(TGH[c].split(":")[1]))
    return None


def plain(reading):
    letters = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(c for c in letters if c.isascii() and c.isalpha())


def readings(char):
    found = []
    for table in (MANDARIN, TGHZ, XHC):
        for part in table.get(char, "").split():
            for reading in part.split(":")[-1].split(","):
                if plain(reading) and plain(reading) not in found:
                    found.append(plain(reading))
    return found[:3]


def similar(a, b):
    """One Cangjie part apart, of like outline, and not one character's worth of strokes apart."""
    if abs(int(STROKES[a].split()[0]) - int(STROKES[b].split()[0])) > 3:
        return False
    apart = sum(x != y for x, y in zip(CORNERS[a].split()[0][:4], CORNERS[b].split()[0][:4]))
    return apart <= 2


def one_part_apart(chars):
    """Pairs whose Cangjie codes become equal when one letter of either, or of the longer, is left out."""
    by_rest = collections.defaultdict(set)
    for char in chars:
        code = CANGJIE[char].split()[0]
        by_rest["*" + code].add(char)
        for at in range(len(code)):
            if len(code) > 2:
                by_rest["*" + code[:at] + code[at + 1:]].add((char))
                by_rest[code[:at] + "?" + code[at + 1:]].add(char)
    pairs = set()
    for rest, group in by_rest.items():
        for a in group:
            for b in group:
                if a < b:
                    la, lb = (len(CANGJIE[c].split()[0]) for c in (a, b))
                    if "?" in rest or la != lb or rest[1:] == CANGJIE[a].split()[0]:
                        pairs.add((a, b))
    return pairs


BY_HAND = ["己已", "己巳", "已巳", "未末", "王玉", "干千", "千干", "土士", "大太", "木本", "日曰", "天夭", "戊戌",
           "戊戍", "戌戍", "成戌", "申由", "由田", "甲申", "甲由", "人入", "今令", "白自", "目自", "方万", "云去",
           "洁浩", "晓哓", "亳毫", "汆氽", "候侯", "仓仑", "尤龙", "徽微", "萧箫", "晴睛", "博搏", "凌淩", "冷泠",
           "冶治", "准淮", "沈沉", "于干", "丁了", "子孑", "兰三", "崇祟", "荣莱", "茶荼", "桂佳", "壬王", "任仕",
           "昊吴", "昱显", "旻昊", "炅灵", "钧钓", "丽俪", "锋峰", "伟玮", "玮炜", "婷停", "娜那", "洋样", "杨扬",
           "祥样", "宏宠", "宇字", "字宁", "宇宁", "苑范", "菀苑", "金全", "全仝", "利和", "明朋", "明眀", "刘列"]

chars = [c for c in TGH if c in CORNERS and c in CANGJIE and c in STROKES and int(TGH[c].split(":")[1]) <= 6500]
pairs = {pair for pair in one_part_apart(chars) if similar(*pair)}
pairs |= {tuple(sorted(pair)) for pair in BY_HAND if pair[0] != pair[1]}
write("similar.txt",
      HEAD.format(title="Characters that look alike",
                  fields="kCangjie, kFourCornerCode, kTotalStrokes; some pairs added by hand",
                  layout="Line: two characters in code point order, each padded with spaces to 4 bytes."),
      [padded(a) + padded(b) for a, b in pairs])

every = set(MANDARIN) | set(TGHZ)
standard = {c: standard_form(c) for c in set(SIMPLIFIED) | set(Z) | set(SEMANTIC) if c not in TGH}
standard = {c: s for c, s in standard.items() if s}
write("variant.txt",
      HEAD.format(title="Traditional and variant characters with their standard form",
                  fields="kSimplifiedVariant, kZVariant, kSemanticVariant into kTGH",
                  layout="Line: character, then the standard character of 2013, each padded with spaces to 4 bytes."),
      [padded(c) + padded(s) for c, s in standard.items()])
write("pinyin.txt",
      HEAD.format(title="Readings of characters without tones, ü as v",
                  fields="kMandarin, kTGHZ2013, kXHC1983",
                  layout="Line: character padded to 4 bytes, then up to three readings padded to 6, the usual one first."),
      [padded(c) + "".join(r.ljust(6) for r in (readings(c) + ["", "", ""])[:3])
       for c in every if c not in standard and ord(c) < 0x30000 and readings(c)
       and (c in TGH or "\u4e00" <= c <= "\u9fff")])
