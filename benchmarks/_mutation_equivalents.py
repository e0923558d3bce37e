"""Changes of checker modules that no test can notice, each with its reason.

A row is (module, a piece of the changed line, the changes, why). A change is written as
``mutation --survivors`` prints it. Rows are found by the text of the line, so they stay right when
a module grows, and stop counting when the line changes.
"""

from __future__ import annotations

from corgi_gym.benchmarks._mutants import Mutant

_ONE = "the first of one is the last of one"
_CHECKED = "lists of equal length by construction"
_NO_VALUE = "no value to give the credit for"
_EXACT = "exact arithmetic gives the same value"
_UNTOLD = "the place of this error is not told"
_OUTSIDE = "places outside are dropped on the next line"
_PARSED = "from 1.0 on a text parses"
_NO_THING = "neither an article nor what stands before it is one of the nouns looked for"
_NOTHING = "leaves a loop early that would find nothing more"
_SAME_VALUE = "sets it to the value that it has"
_OFFSET = "any offset does that is larger than all sums of weights"
_BANDS = "no band of the list lies between"
_UNLISTED = "what stands for a word outside the table stays on the same side of the limit"
_NO_KIND = "both mean that a word is of no kind"
_SHORT = "the longest form has six letters"
_ONE_AXIS = "there is one axis, the first and the last"
_LONG_WAY = "the longer way gives the same"
_BY_CATEGORY = "this end of a run is punctuation by its category as well"
_REMEMBERED = "only how many texts are remembered"
_SURE = "compared with 0 and _STRONG only"
_MORE_ROUNDS = "the rounds that follow change nothing"
_MORE_THAN_64 = "only whether there are more than MAX_BRANCHES is asked"

EQUIVALENT = (
    ("clustering", "lonely = {group.names[0]", "0 -> -1", _ONE),
    ("panagram", "word = parts[0].strip", "0 -> -1", _ONE),
    ("panagram", "start = reply.find(parts[0])", "0 -> -1", _ONE),
    ("panagram", "where = (start, start + len(parts[0]))", "0 -> -1", _ONE),
    ("logical_deduction", "number - 1 if number > 0", "0 -> -1", "a place is never 0"),
    ("linear_equations", "            break", "break -> continue", "a part is missing anyway"),
    ("fractions_units", "return None, Problem(", "0.0 -> 1.0", _NO_VALUE),
    ("constraints/_facts", "frozenset(range(self.low, self.high + 1))", "1 -> 2", _OUTSIDE),
    ("constraints/_facts", "            return False", "False -> True", _MORE_ROUNDS),
    ("constraints/_facts", 'self.quantity(inside, "count", "word", found[0])', "0 -> -1", _ONE),
    ("constraints/_facts", "if each.high < _LARGEST and parts.high < _LARGEST",
     "each.high < _LARGEST -> each.high <= _LARGEST", "a product of it bounds nothing"),
    ("constraints/conflicts", "islice(_branches(constraints.nodes)", "1 -> 2", _MORE_THAN_64),
    ("constraints/conflicts", "islice(alternatives, MAX_BRANCHES + 1)", "1 -> 2", _MORE_THAN_64),
    ("constraints/describe", "if number < 0", "number < 0 -> number <= 0", "no place is 0"),
    ("constraints/describe", "if number < 0", "0 -> 1", "no place is 0"),
    ("constraints/describe", "teen = 10 < size", "14 -> 15", "fourteen ends in th anyway"),
    ("constraints/describe", "length = len(values[0])", "0 -> -1", _ONE),
    ("constraints/segments", "_ends_sentence(token[0], text[", "1 -> 0", "a space has no case"),
    ("llm_judge/lines", "said = found[0].partition", "0 -> -1", _ONE),
    ("llm_judge/prompt", "defuse(reply, len(reply) + 1)", "1 -> 0", "replies are in NFC already"),
    ("_noun_phrases", "                break", "break -> continue", _NOTHING),
    ("_noun_phrases", "                continue", "continue -> break", "the end is the last place"),
    ("_recogniser", "if result.bit_length() > self.far + 1:",
     "result.bit_length() > self.far + 1 -> result.bit_length() >= self.far + 1", _SAME_VALUE),
    ("_recogniser", "if result.bit_length() > self.far + 1:", "1 -> 0", _SAME_VALUE),
    ("_recogniser", "if found.bit_length() > self.far:",
     "found.bit_length() > self.far -> found.bit_length() >= self.far", _SAME_VALUE),
    ("_sense", "for noun in range(article + 1,", "article + 1 -> article - 1", _NO_THING),
    ("_sense", "for noun in range(article + 1,", "1 -> 0", _NO_THING),
    ("_sense", "tokens[place + 2 :]", "2 -> 1", "\"of\" is none of these words"),
    ("_tagger", "_MIDDLE = 1 <<", "1 -> 2", _OFFSET),
    ("_tagger", "_MIDDLE = 1 <<", "2 -> 3", _OFFSET),
    ("_tagger", "_MIDDLE = 1 <<", "2 -> 1", _OFFSET),
    ("_tagger", "every = features(0, word", "0 -> 1", "features of neighbours are left out below"),
    ("llm_judge/judge", "zip(self.rubric.criteria, marks", "True -> False", _CHECKED),
    ("lexicon", "_MAX_BAND = 60", "60 -> 61", _BANDS),
    ("lexicon", "_COMMON_BAND = 35", "35 -> 36", _BANDS),
    ("lexicon", "_graded_table().get(word, _MAX_BAND + 1)", "1 -> 2", _UNLISTED),
    ("lexicon", "max(common.get(word[:i], 99)", "99 -> 100", _UNLISTED),
    ("lexicon", "max(common.get(word[:i], 99)", "99 -> 98", _UNLISTED),
    ("lexicon", "word_frequencies().get(stem(word), 0)", "0 -> 1", _UNLISTED),
    ("lexicon", "word_frequencies().get(stem(word), 0)", "0 -> -1", _UNLISTED),
    ("lexicon", "counts.get(noun, 0) >= _MIN_COUNT", "0 -> 1", _UNLISTED),
    ("lexicon", "counts.get(noun, 0) >= _MIN_COUNT", "0 -> -1", _UNLISTED),
    ("lexicon", "return 5.0 if fixed.startswith(pos)", "5.0 -> 6.0", _SURE),
    ("lexicon", "return 5.0 if fixed.startswith(pos)", "5.0 -> 2.5", _SURE),
    ("passage", "if not _TITLE.search(text[max(0, match.start() - 4)", "4 -> 5",
     "one character before the longest title tells whether a word begins there"),
    ("prose", '        return ""', "return '' -> return None", _NO_KIND),
    ("prose", '    return ""', "return '' -> return None", _NO_KIND),
    ("prose", "if others > max(1, len(found) // 2):", "len(found) // 2 -> len(found) / 2",
     "compared with a whole number"),
    ("prose", "smalls += small", "smalls += small -> smalls -= small", "only 0 is told apart"),
    ("paraphrase", "shown = listing([quote(word.capitalize(), 12)", "12 -> 13", _SHORT),
    ("paraphrase", "shown = listing([quote(word.capitalize(), 12)", "12 -> 11", _SHORT),
    ("reasoning_gym", "rows = zip(self.rows, other.rows", "True -> False", _CHECKED),
    ("reasoning_gym", "for pair in zip(*row, strict=True))", "True -> False", _CHECKED),
    ("self_verdict", 'first = tail[:MAX_ANSWER_CHARS].split("\\n", 1)[0]', "1 -> 2",
     "the first part is the same"),
    ("reasoning_gym", 'return _plain(text) in map(_plain, target["accepted"])',
     "_plain(text) in map(_plain, target['accepted']) -> "
     "_plain(text) not in map(_plain, target['accepted'])",
     "compared with what it says of the stored answer, which is accepted"),
    ("style_transfer", "for one, other in zip(facts[cut:]", "True -> False", _CHECKED),
    ("sentiment", "if len(problems) == 1 and problems[0].kind", "0 -> -1", _ONE),
    ("semantic/student", "asked, prior, strict=True", "True -> False", _CHECKED),
    ("semantic/student", "read.past_key_values, read.logits[0, -1]", "1 -> 0", _ONE_AXIS),
    ("semantic/student", "rows = more.logits[0].log_softmax(-1)", "-1 -> 1",
     "the last of two axes"),
    ("verdict", "type(kind) is type(message) is str",
     "type(kind) is type(message) is str -> type(kind) is not type(message) is str", _LONG_WAY),
    ("verdict", "if not (type(score) is float and 0.0 <= score",
     "0.0 <= score <= 1.0 -> 0.0 < score <= 1.0", _LONG_WAY),
    ("compose", "weights = [1.0] * len(checkers)", "1.0 -> 2.0", "only their ratio counts"),
    ("compose", "weights = [1.0] * len(checkers)", "1.0 -> 0.5", "only their ratio counts"),
    ("compose", "zip(self.checkers, self.weights", "True -> False", _CHECKED),
    ("session", "if gain <= 0.0:", "gain <= 0.0 -> gain < 0.0", "a gain of 0 pays 0 either way"),
    ("text", "*range(0xE0100, 0xE01F0)", "918000 -> 918001", "it is unassigned, so invisible too"),
    ("semantic/wordpiece", "ascii_symbol = 33 <=", "33 -> 32", "a space is taken before"),
    *(("semantic/wordpiece", "ascii_symbol = 33 <=", change, _BY_CATEGORY) for change in (
        "33 -> 34", "33 <= code <= 47 -> 33 < code <= 47",
        "47 -> 46", "33 <= code <= 47 -> 33 <= code < 47",
        "58 -> 59", "58 <= code <= 64 -> 58 < code <= 64",
        "64 -> 63", "58 <= code <= 64 -> 58 <= code < 64",
        "91 -> 92", "91 <= code <= 96 -> 91 < code <= 96",
        "123 -> 124", "123 <= code <= 126 -> 123 < code <= 126",
    )),
    *(("semantic/wordpiece", "ascii_symbol = 33 <=", change, "no such character is left")
      for change in ("64 -> 65", "91 -> 90", "126 -> 127")),
    *(("semantic/wordpiece", "0xF900 <= code", change, "no such character is left") for change in (
        "63744 -> 63745", "63744 <= code <= 64255 -> 63744 < code <= 64255", "63744 -> 63743",
        "64255 -> 64254", "63744 <= code <= 64255 -> 63744 <= code < 64255",
    )),
    ("program", 'if not lines[0].startswith("def f(")', "0 -> -1", _ONE),
    ("program", "    return lines[0]", "0 -> -1", _ONE),
    ("program", ".most_common(1)[0][1]", "1 -> 2", "the first is read"),
    ("program", "max(1, len(cases) - constant)", "1 -> 2", "it divides what is not above 0"),
    *(("programs", "repr(value[: limit + 1]", change, "the quotes make it too long anyway")
      for change in ("limit + 1 -> limit - 1", "1 -> 2", "1 -> 0")),
    ("instructions/floor", "_CACHE = 2_048", "2048 -> 2049", _REMEMBERED),
    ("instructions/floor", "_CACHE = 2_048", "2048 -> 2047", _REMEMBERED),
    ("instructions/floor", "Counter(runs).most_common(1)[0][0])", "0 -> -1", _ONE),
    ("instructions/floor", "Counter(runs).most_common(1)[0][0])", "1 -> 2", "the first is taken"),
    ("instructions/floor", "    if len(pieces) > 2:", "2 -> 1", "of two, none stands there often"),
    ("instructions/floor", "    if len(pieces) > 2:", "len(pieces) > 2 -> len(pieces) >= 2",
     "of two, none stands there often"),
    ("instructions/floor", "        return 0", "0 -> -1", "at least `copies` words are copied"),
    ("instructions/_languages", "return best[0] if most", "0 -> -1", _ONE),
    ("instructions/_languages", "scripts.most_common(1)[0]", "0 -> -1", _ONE),
    ("instructions/_languages", "scripts.most_common(1)[0]", "1 -> 2", "the first is taken"),
    ("instructions/_languages", "if most / len(tokens) < _WORD_SHARE:",
     "most / len(tokens) < _WORD_SHARE -> most / len(tokens) <= _WORD_SHARE",
     "with fewer words the share is as large or larger"),
    ("instructions/prose", "return _MIN_SMALL if len(held) >= _FEW else 1", "1 -> 0",
     "of a text without any the share is too small, or no language is told"),
    ("instructions/conflicts", "low[key] = max(low.get(key, 0), number)", "0 -> -1",
     "numbers are 0 or more"),
    ("instructions/conflicts", "for w in v[0]]", "0 -> -1", _ONE),
    ("instructions/_punkt", "    return _Token(text, kind, False, False, False)", "False -> True",
     "looked at only where a token ends with a full stop"),
    ("instructions/length", "maxsplit=1)[0]", "1 -> 0", "what stands before the first stays so"),
    ("instructions/length", "maxsplit=1)[0]", "1 -> 2", "what stands before the first stays so"),
    ("instructions/_langdetect", "if mean[best] > _POSSIBLE",
     "mean[best] > _POSSIBLE -> mean[best] >= _POSSIBLE", "no mean of seven is exactly 0.1"),
    ("instructions/vocabulary", 'word[-1] not in "aeiou"', "1 -> 2", "the last two are the same"),
    ("rational", "_PRECEDENCE = {", "1 -> 0", _EXACT),
    ("rational", "_PRECEDENCE = {", "2 -> 3", _EXACT),
    ("rational", "_PRECEDENCE = {", "3 -> 2", _EXACT),
    ("rational", "_PRECEDENCE = {", "3 -> 4", _EXACT),
    ("rational", "match[match.lastgroup or 0]", "0 -> -1", "a match always has a group"),
    ("rational", "apply_down_to(0)", "0 -> 1", "no operator is below 1"),
    ("rational", "apply_down_to(0)", "0 -> -1", "no operator is below 1"),
    ("rational", "Fraction(values[0])", "0 -> -1", _ONE),
    ("rational", "_LITERAL.fullmatch(plain_signs(text)) if len(text) <=",
     "len(text) <= MAX_EXPRESSION_CHARS -> len(text) < MAX_EXPRESSION_CHARS",
     "a number of so many characters has too many digits"),
    ("rational", '_number(match["top"], 0)', "0 -> 1", _UNTOLD),
    ("rational", '_number(match["top"], 0)', "0 -> -1", _UNTOLD),
    ("rational", '_number(match["bottom"], 0)', "0 -> 1", _UNTOLD),
    ("rational", '_number(match["bottom"], 0)', "0 -> -1", _UNTOLD),
    ("sentence", "elif not ends or ends[0].end()", "0 -> -1", _ONE),
    ("sentence", "reach += [k for k in (i - 2, i + 2)",
     "0 < k < len(words) -> 0 < k <= len(words)", _OUTSIDE),
    ("sentence", "reach += [k for k in (i - 2, i + 2)",
     "0 < k < len(words) -> 0 <= k < len(words)", _OUTSIDE),
    ("sentence", "    return 1.0, []", "1.0 -> 2.0", _PARSED),
    ("sentence", "return 1.0, [Problem(", "1.0 -> 2.0", _PARSED),
    ("sentence", "return any(t.word in _TO_BE or not t.verbs",
     "not t.verbs.isdisjoint(_NO_EVENT) -> t.verbs.isdisjoint(_NO_EVENT)",
     "only saves a second analysis"),
    ("steps", "    if len(parts) > 1:", "1 -> 0", "the same reading twice"),
    ("steps", 'if reading.count(")") > reading.count("(")',
     "reading.count(')') > reading.count('(') -> reading.count(')') >= reading.count('(')",
     "without its parenthesis it is no arithmetic"),
)  # fmt: skip


def reason(module: str, source: str, mutant: Mutant) -> str | None:
    """Why a change of this module goes unnoticed, or None if nobody has said so.

    Args:
        module: Its name.
        source: Its text.
        mutant: The change.
    """
    line = source.splitlines()[mutant.line - 1]
    change = f"{mutant.before} -> {mutant.after}"
    found = (row for row in EQUIVALENT if row[0] == module and row[1] in line and row[2] == change)
    return next((row[3] for row in found), None)
