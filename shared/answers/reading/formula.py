r"""Reads a formula whole, as a tree, or raises Unread. What two readers may read differently is not read:

`1/2x` (a half of x?), `\sin x/2`, `2^n!`, `\left(\frac ap\right)` (a Legendre symbol?), `1,234` (two numbers?).
"""

from collections.abc import Callable

from shared.answers.reading.tokens import GREEK, Token, tokenize
from shared.answers.reading.tree import Node, Unread, num, sym, walk, words

DEEPEST = 40
"""Levels of brackets and operators; a parser in Python ends at about a thousand calls."""

FUNCTIONS = frozenset(
    words(
        "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth sech csch arsinh arcosh artanh exp ln "
        "log lg gcd lcm max min det erf sqrt Gamma floor ceil abs factorial binom"
    )
)
_SEVERAL = frozenset(["gcd", "lcm", "max", "min"])
_TRIGONOMETRIC = {name: f"arc{name}" for name in ("sin", "cos", "tan")} | {
    "sinh": "arsinh", "cosh": "arcosh", "tanh": "artanh",
}  # fmt: skip
UNKNOWN_FUNCTIONS = frozenset(words("f g h F G H P Q phi psi Phi Psi zeta sigma tau pi mu u v w y"))
"""Letters that may name a function where a bracket follows; `x(x+1)` is a product."""
_ALWAYS = frozenset(words("f g F G Q phi psi Phi Psi zeta P"))
_RELATIONS = frozenset(words("= != < > <= >= approx equiv sim in notin subset subseteq to gets | mid :"))
_CLOSING = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "langle": "rangle", "lfloor": "rfloor", "lceil": "rceil"}
_GROWTH = {"O": "O", "o": "o", "Theta": "Θ", "Omega": "Ω", "omega": "ω", "cal:O": "O", "tilde:O": "~O"}
_FACTORS = frozenset(words("( frac sqrt cbrt binom { lfloor lceil sum prod partial nabla inf langle"))
_STOP = frozenset([")", "]", "}", "\\}", "rangle", "rfloor", "rceil", ",", ";", "&", "\\\\", "end"])


def read_formula(text: str) -> Node:
    """The tree of a formula. Raises Unread."""
    parser = Parser(tokenize(text))
    if not parser.tokens:
        raise Unread("nothing")
    tree = parser.bare_list()
    if parser.at < len(parser.tokens):
        raise Unread(f"unread from {parser.tokens[parser.at].text!r} on")
    return tree


class Parser:
    """Recursive descent, loosest operator first: lists, formulas of logic, relations, sets, sums, products, powers."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars = 0

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].text if at < len(self.tokens) else "end"

    def is_name(self, ahead: int = 0) -> bool:
        at = self.at + ahead
        return at < len(self.tokens) and self.tokens[at].kind == "name"

    def is_number(self, ahead: int = 0) -> bool:
        at = self.at + ahead
        return at < len(self.tokens) and self.tokens[at].kind == "num"

    def spaced(self) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].spaced

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise Unread("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, text: str) -> None:
        if self.peek() != text or self.is_number():
            raise Unread(f"no {text!r} where one is due")
        self.at += 1

    def accept(self, *texts: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "mark" and self.peek() in texts:
            return self.take().text
        return None

    def deeper(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unread("nested too deeply")
        try:
            return read()
        finally:
            self.depth -= 1

    # --- lists

    def bare_list(self) -> Node:
        """Items that commas, semicolons, `and` or `or` part, with no brackets around them."""
        first = self.logic()
        items, marks = [first], []
        while True:
            if self.accept("text:and"):
                marks.append(",")
            elif self.accept("text:or"):
                marks.append("or")
            elif self.is_name() and self.peek() in {"and", "or"}:
                marks.append("," if self.take().text == "and" else "or")
            elif mark := self.accept(",", ";"):
                marks.append(mark)
                self.accept("text:and")
                if self.is_name() and self.peek() == "and":
                    self.take()
            else:
                break
            items.append(self.logic())
        if not marks:
            return first
        if len(set(marks)) > 1 and set(marks) != {",", "or"}:
            raise Unread("separators of two kinds")
        if self._thousands(0, self.at, marks):
            raise Unread("a list, or thousands")
        return Node("bare", ("or" if "or" in marks else marks[0], tuple(items)))

    def _thousands(self, begin: int, end: int, marks: list[str]) -> bool:
        """Whether a comma might part thousands: three digits follow it without a space."""
        for at in range(begin + 1, end - 1):
            one, after = self.tokens[at], self.tokens[at + 1]
            before = self.tokens[at - 1]
            comma = one.text == "," and before.kind == after.kind == "num" and not after.spaced
            if comma and len(after.text) == 3 and after.text.isdigit():
                return True
        return bool(len(marks) == 1 and marks[0] == "," and self._decimal_comma(begin, end))

    def _decimal_comma(self, begin: int, end: int) -> bool:
        """`1,5`, written without a space, may be one number."""
        tokens = self.tokens[begin:end]
        return [one.text if one.kind == "mark" else one.kind for one in tokens if one.text != "-"] == [
            "num", ",", "num",
        ] and not tokens[-1].spaced  # fmt: skip

    def items(self, close: str) -> tuple[tuple[str, ...], tuple[Node, ...]]:
        """Items up to a closing bracket, and what parts them; a comma at the end is nothing."""
        items: list[Node] = []
        marks: list[str] = []
        while self.peek() != close:
            items.append(self.deeper(self.logic))
            if mark := self.accept(",", ";"):
                marks.append(mark)
            elif self.peek() != close:
                break
        return tuple(marks[: max(0, len(items) - 1)]), tuple(items)

    # --- logic

    def logic(self) -> Node:
        return self._binary(self._or, {"iff": "iff", "implies": "implies"})

    def _or(self) -> Node:
        return self._many(self._xor, "or", "or")

    def _xor(self) -> Node:
        return self._many(self._and, "oplus", "xor")

    def _and(self) -> Node:
        return self._many(self._not, "and", "and")

    def _not(self) -> Node:
        if self.accept("not"):
            return Node("not", (self.deeper(self._not),))
        if mark := self.accept("forall", "exists"):
            bound = self.deeper(self.power)
            if self.accept("in"):
                bound = Node("rel", (("in",), bound, self.deeper(self.power)))
            self.accept(":", ",", ".")
            return Node(mark, (bound, self.deeper(self._not)))
        return self.relation()

    def _binary(self, lower: Callable[[], Node], marks: dict[str, str]) -> Node:
        left = lower()
        if mark := self.accept(*marks):
            right = lower()
            if self.peek() in marks:
                raise Unread("two arrows without brackets")
            return Node(marks[mark], (left, right))
        return left

    def _many(self, lower: Callable[[], Node], mark: str, op: str) -> Node:
        items = [lower()]
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "mark" and self.peek() == mark:
            self.at += 1
            items.append(lower())
        return items[0] if len(items) == 1 else Node(op, tuple(items))

    # --- relations and sets

    def relation(self) -> Node:
        operands, marks = [self.sets()], []
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "mark" and self.peek() in _RELATIONS:
            if self.peek() in {"|", "mid", ":"} and (self.bars or self.peek() == ":"):
                break
            marks.append({"|": "mid"}.get(self.peek(), self.peek()))
            self.at += 1
            operands.append(self.sets())
        if not marks:
            return operands[0]
        if self.accept("pmod"):
            modulus = self.deeper(self.group)
            return Node("rel", (("mod", *marks), *operands, modulus))
        if self.peek() == "(" and self.peek(1) == "mod":
            self.at += 2
            modulus = self.deeper(self.sum)
            self.expect(")")
            return Node("rel", (("mod", *marks), *operands, modulus))
        return Node("rel", (tuple(marks), *operands))

    def group(self) -> Node:
        close = {"{": "}", "(": ")"}.get(self.take().text)
        if close is None:
            raise Unread("no brackets where they are due")
        inner = self.sum()
        self.expect(close)
        return inner

    def sets(self) -> Node:
        left = self.sum()
        while mark := self.accept("cup", "cap", "setminus"):
            op = {"cup": "union", "cap": "inter", "setminus": "minus"}[mark]
            right = self.sum()
            if left.op in {"union", "inter", "minus"} and left.op != op:
                raise Unread("set operations of two kinds without brackets")
            left = Node(op, (*left.args, right) if left.op == op and op != "minus" else (left, right))
        return left

    # --- sums and products

    def sum(self) -> Node:
        terms = [self._signed()]
        while True:
            if mark := self.accept("+", "-"):
                term = self._signed() if self.peek() in {"+", "-"} else self.product()
                terms.append(Node("neg", (term,)) if mark == "-" else term)
            elif mark := self.accept("pm", "mp"):
                left = terms[0] if len(terms) == 1 else Node("add", tuple(terms))
                terms = [Node(mark, (left, self.product()))]
            else:
                break
        return terms[0] if len(terms) == 1 else Node("add", tuple(terms))

    def _signed(self) -> Node:
        if self.accept("-"):
            return Node("neg", (self.deeper(self._signed),))
        if self.accept("+"):
            return self.deeper(self._signed)
        if mark := self.accept("pm", "mp"):
            return Node(mark, (self.product(),))
        return self.product()

    def product(self) -> Node:  # noqa: C901 - one branch for each sign
        factors = [self.power()]
        while True:
            if self.accept("/"):
                below = self.power()
                if self._starts_factor():
                    raise Unread("a product after a slash: which part of it is below?")
                if self.peek() == "/":
                    raise Unread("a slash after a slash")
                above = factors[0] if len(factors) == 1 else Node("mul", tuple(factors))
                factors = [Node("div", (above, below))]
            elif mark := self.accept("*", "ast", "cdot", "times"):
                right = self._unary_factor()
                plain = mark in {"*", "ast"} or not (_lettered(factors[-1]) and _lettered(right))
                if plain:
                    factors.append(right)
                else:
                    op = "dot" if mark == "cdot" else "cross"
                    factors[-1] = Node(op, (factors[-1], right))
            elif self.accept("otimes"):
                factors = [Node("call", ("⊗", factors[0] if len(factors) == 1 else Node("mul", tuple(factors)),
                                         self.power()))]  # fmt: skip
            elif (self.is_name() and self.peek() == "mod") or self.accept("bmod"):
                if self.peek() == "mod":
                    self.at += 1
                left = factors[0] if len(factors) == 1 else Node("mul", tuple(factors))
                factors = [Node("call", ("mod", left, self.power()))]
            elif self._starts_factor():
                before = self.tokens[self.at - 1]
                if self.is_number():
                    if before.kind == "num" and factors[-1].op == "num" and self.spaced():
                        return self._sequence(factors)
                    raise Unread("a number after a factor")
                if self.peek() == "frac" and factors[-1].op == "num" and factors[-1].args[0].denominator == 1:
                    self._mixed()
                factors.append(self.power())
            else:
                break
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    def _unary_factor(self) -> Node:
        if self.accept("-"):
            return Node("neg", (self.power(),))
        return self.power()

    def _mixed(self) -> None:
        r"""`3\frac12` may be 3.5; `3\frac{x}{2}` is a product."""
        if (self.is_number(1) and self.is_number(2)) or (
            self.peek(1) == "{" and self.is_number(2) and self.peek(3) == "}" and self.peek(4) == "{"
            and self.is_number(5) and self.peek(6) == "}"
        ):  # fmt: skip
            raise Unread("a number before a fraction: a sum or a product")

    def _sequence(self, factors: list[Node]) -> Node:
        """`3 1 2`: numbers that only spaces part are a sequence, no product."""
        items = list(factors)
        while self.is_number() and self.spaced():
            items.append(self._num(self.take()))
        if len(items) < 2 or any(one.op != "num" or one.args[0].denominator != 1 for one in items):
            raise Unread("a number after a factor")
        if self._starts_factor() or self.peek() in {"/", "^", "!", "*", "frac"}:
            raise Unread("a sequence with operators")
        return Node("seq", tuple(items))

    def _starts_factor(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        if token.kind == "num":
            return True
        if token.kind == "name":
            return token.text not in {"and", "or", "mod"}
        if token.text == "|":
            return False
        return token.text in _FACTORS and not (token.text == "(" and self.peek(1) == "mod")

    # --- powers and what stands behind an atom

    def power(self) -> Node:
        return self.deeper(self._power)

    def _power(self) -> Node:  # noqa: C901 - one branch for each sign
        base = self.atom()
        while True:
            if self.peek() == "!" and self.accept("!"):
                double = self.accept("!") is not None
                if self.peek() == "!":
                    raise Unread("three factorials")
                if base.op not in {"num", "sym", "call", "app"} and not self._closed():
                    raise Unread("a factorial of what?")
                base = Node("dfact" if double else "fact", (base,))
            elif self.peek() == "'" or self.peek() == "''":
                if base.op not in {"sym", "mark"}:
                    raise Unread("a prime behind what is no letter")
                base = Node("mark", (base, self.take().text))
            elif self.accept("degree"):
                base = Node("mark", (base, "°"))
            elif self.accept("%"):
                base = Node("mark", (base, "%"))
            elif self.peek().startswith("unit:"):
                base = Node("mark", (base, self.take().text))
            elif self.peek() == "^" and self.accept("^"):
                base = self._raised(base)
            elif self.peek() == "_" and base.op in {"mark", "num"}:
                raise Unread("an index behind a mark or a number")
            else:
                return base

    def _closed(self) -> bool:
        return self.tokens[self.at - 2].text in {")", "}", "]", "|"}

    def _raised(self, base: Node) -> Node:  # noqa: C901 - one branch for each form of exponent
        braced = self.accept("{") is not None
        if base.op == "pow" and not (self.at >= 2 and self.tokens[self.at - 2 - braced].text in {")", "}"}):
            raise Unread("a power of a power without brackets")
        for mark, name in (("circ", "°"), ("top", "T"), ("dagger", "†"), ("prime", "'"), ("*", "*"), ("ast", "*")):
            if self.peek() == mark and (not braced or self.peek(1) == "}"):
                self.take()
                if braced:
                    self.expect("}")
                return Node("mark", (base, name))
        if self.peek() in {"+", "-"} and (self.peek(1) == "}" if braced else self._ends_after(1)):
            sign = self.take().text
            if braced:
                self.expect("}")
            return Node("mark", (base, sign))
        if braced:
            if self.peek() == "(" and self.is_number(1) and self.peek(2) == ")" and self.peek(3) == "}":
                order = self.tokens[self.at + 1].text
                self.at += 4
                return Node("mark", (base, f"({order})"))
            exponent = self.deeper(self.sum)
            if self.accept(","):
                raise Unread("several exponents")
            self.expect("}")
            return Node("pow", (base, exponent))
        negative = self.accept("-") is not None
        exponent = self.atom()
        if self.peek() in {"!", "^", "'"} or (
            exponent.op == "num" and self._starts_factor() and self.is_name() and not self.spaced()
            and base.op in {"num", "const"}
        ):  # fmt: skip
            raise Unread("where does the exponent end?")
        return Node("pow", (base, Node("neg", (exponent,)) if negative else exponent))

    def _ends_after(self, ahead: int) -> bool:
        return self.peek(ahead) in _STOP | {"=", "+", "-", "<", ">"} and not self.is_number(ahead)

    # --- atoms

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "num":
            return self._based(token)
        if token.kind == "name":
            return self._name(token.text)
        reader = {
            "(": self._round, "[": self._square, "]": self._french, "\\{": self._set, "{": self._braces,
            "frac": self._fraction, "sqrt": self._root, "cbrt": lambda: Node("root", (num(3), self._root_operand())),
            "binom": lambda: Node("binom", (self._argument(), self._argument())), "|": self._bars,
            "norm": lambda: self._between("norm", "norm"), "lfloor": lambda: self._between("rfloor", "floor"),
            "lceil": lambda: self._between("rceil", "ceil"), "langle": self._angle,
            "inf": lambda: Node("const", ("inf",)),
            "emptyset": lambda: Node("set", ()), "sum": lambda: self._big("sum"), "prod": lambda: self._big("prod"),
            "nabla": lambda: sym("nabla"), "begin:pmatrix": lambda: self._matrix("pmatrix"),
            "begin:bmatrix": lambda: self._matrix("bmatrix"), "begin:Bmatrix": lambda: self._matrix("Bmatrix"),
            "begin:matrix": lambda: self._matrix("matrix"), "begin:vmatrix": lambda: self._matrix("vmatrix"),
            "partial": self._partial,
        }.get(token.text)  # fmt: skip
        if reader is None:
            raise Unread(f"unread {token.text!r}")
        return self.deeper(reader)

    def _num(self, token: Token) -> Node:
        return Node("num", (token.value, token.half_step, token.digits))

    def _based(self, token: Token) -> Node:
        """`1010_2`: a number with its base."""
        if self.peek() != "_" or not token.text.isdigit():
            return self._num(token)
        self.at += 1
        braced = self.accept("{")
        base = self.take()
        if braced:
            self.expect("}")
        if base.kind != "num" or not 2 <= base.value <= 10 or max(map(int, token.text)) >= base.value:
            raise Unread("no base of a number")
        return num(int(token.text, int(base.value)))

    def _name(self, name: str) -> Node:
        if name == "binom" and self.peek() != "(":
            return Node("binom", (self._argument(), self._argument()))
        if name in FUNCTIONS:
            if name in {"Gamma", "det"} and self.peek() != "(":
                return sym(name) if name == "Gamma" else self._function(name)
            return self._function(name)
        if name in _GROWTH and self._growth_follows(name):
            self.at += self.peek() == "{"
            self.expect("(")
            inner = self.deeper(self.sum)
            self.expect(")")
            return Node("growth", (_GROWTH[name], inner))
        if name == "inf":
            return Node("const", ("inf",))
        if name in {"pi", "e"} and self.peek() != "_":
            return Node("const", (name,))
        index = self._index()
        letter = sym(name, index)
        if name.startswith("bb:"):
            return self._type(letter)
        return self._applied(letter)

    def _growth_follows(self, name: str) -> bool:
        return self.peek() == "(" and (name in {"O", "cal:O", "tilde:O"} or name in {"o", "Theta", "Omega", "omega"})

    def _type(self, letter: Node) -> Node:
        r"""`\mathbb{F}_p[x]`, `\mathbb{F}_p(x)`: polynomials are no rational functions."""
        while self.peek() in {"[", "("} and not self.spaced():
            opened = self.take().text
            _, items = self.items(_CLOSING[opened])
            self.expect(_CLOSING[opened])
            letter = Node("adjoin", (letter, opened, items))
        return letter if letter.op == "adjoin" else Node("type", letter.args)

    def _index(self) -> str:
        """An index as written, without spaces and braces."""
        if not (self.peek() == "_" and not self.is_number()):
            return ""
        self.at += 1
        if self.accept("{") is None:
            token = self.take()
            if token.kind == "mark" or (token.kind == "num" and len(token.text) > 1):
                raise Unread("an index without braces")
            return token.text
        begin, depth = self.at, 1
        while depth:
            text = self.take().text
            depth += {"{": 1, "}": -1}.get(text, 0)
            if text in {"^", "_", "frac", "sqrt"}:
                raise Unread("an index with a formula in it")
        inner = self.tokens[begin : self.at - 1]
        if not inner:
            raise Unread("an empty index")
        return " ".join(one.text for one in inner)

    def _applied(self, letter: Node) -> Node:
        """A function that is not known, applied: `f(x)`, `f'(x)`, `f^{-1}(x)`, `f^{(2)}(x)`."""
        if letter.args[0] not in UNKNOWN_FUNCTIONS:
            return letter
        begin, marks = self.at, ""
        while self.peek() in {"'", "''"}:
            marks += self.take().text
        if self.peek() == "^":
            rest = [self.peek(n) for n in range(1, 7)]
            if rest[:4] == ["{", "-", "1", "}"] and rest[4] == "(":
                marks, self.at = marks + "⁻¹", self.at + 5
            elif rest[:2] == ["{", "("] and rest[3:6] == [")", "}", "("]:
                marks, self.at = f"{marks}({rest[2]})", self.at + 6
        if self.peek() == "(" and (marks or letter.args[0] in _ALWAYS) and not self.is_number():
            self.at += 1
            bars, self.bars = self.bars, 0
            separators, items = self.items(")")
            self.bars = bars
            if not items:
                raise Unread("a function of nothing")
            self.expect(")")
            return Node("app", (letter, marks, separators, *items))
        if marks.endswith(("⁻¹", ")")):
            raise Unread("marks of a function without operand")
        if self.peek() == "(" and letter.args[0] not in _ALWAYS and not marks:
            return self._maybe_applied(letter)
        self.at = begin
        return letter

    def _maybe_applied(self, letter: Node) -> Node:
        """`h(a+b)` is a product as likely as not; `u(x, t)` is not."""
        begin = self.at
        self.at += 1
        _, items = self.items(")")
        if self.peek() == ")" and len(items) > 1:
            self.at += 1
            return Node("app", (letter, "", (), *items))
        self.at = begin
        if len(items) == 1 and items[0].op in {"sym", "num"}:
            raise Unread("a function or a product")
        return letter

    def _function(self, name: str) -> Node:  # noqa: C901 - one branch for each kind of function
        base: Node | None = None
        if name == "log" and self.peek() == "_":
            self.at += 1
            base = self._argument()
        power: Node | None = None
        if self.peek() == "^" and name not in {"sqrt", "exp"}:
            self.at += 1
            braced = self.accept("{") is not None
            minus = self.accept("-") is not None
            power = self.atom()
            if braced:
                self.expect("}")
            if minus:
                if power != num(1) or name not in _TRIGONOMETRIC:
                    raise Unread("a negative power of a function")
                name, power = _TRIGONOMETRIC[name], None
        if name == "sqrt":
            if self.is_number() and len(self.peek()) > 1:
                raise Unread("more than one digit without braces")
            return self._root()
        operands = self._operands(name)
        if name in {"log", "ln", "exp", "lg"} and self.peek() == "!":
            raise Unread("a factorial of what?")
        result: Node
        if base is not None:
            result = Node("call", ("log", *operands, base))
        elif name in {"floor", "ceil", "abs"}:
            result = Node(name, operands)
        elif name == "factorial":
            result = Node("fact", operands)
        elif name == "binom":
            result = Node("binom", operands)
        elif name == "exp":
            result = Node("pow", (Node("const", ("e",)), *operands))
        else:
            result = Node("call", (name, *operands))
        counts = {"gcd": 9, "lcm": 9, "max": 99, "min": 99, "binom": 2}
        if len(operands) > counts.get(name, 1) or (name == "binom" and len(operands) != 2):
            raise Unread("too many operands")
        return result if power is None else Node("pow", (result, power))

    def _operands(self, name: str) -> tuple[Node, ...]:
        bracket = self.peek()
        if bracket in {"(", "{", "[", "\\{"} and not self.is_number() and (bracket != "[" or name != "log"):
            self.at += 1
            bars, self.bars = self.bars, 0
            _, items = self.items(_CLOSING[bracket])
            self.bars = bars
            self.expect(_CLOSING[bracket])
            if not items or (len(items) > 1 and name not in _SEVERAL | {"binom"}):
                raise Unread("operands that the function does not take")
            if self.peek() in {"^", "!", "'", "_"}:
                raise Unread("a power of the function or of its operand?")
            return items
        if name in _SEVERAL | {"binom", "floor", "ceil", "abs", "factorial", "erf", "det", "Gamma"}:
            raise Unread("a function without its brackets")
        return (self._juxtaposed(),)

    def _juxtaposed(self) -> Node:
        r"""The operand of a function without brackets: `\sin 2x`, `\ln\ln n`, `\sin \omega t`."""
        if self.is_name() and self.peek() in FUNCTIONS:
            return self.deeper(lambda: self._function(self.take().text))
        factors: list[Node] = []
        while self._starts_factor():
            text = self.peek()
            if self.is_name() and (text in FUNCTIONS or text in {"O", "Theta", "f", "g"}):
                break
            if text in {"(", "{", "langle", "sum", "prod", "lfloor", "lceil"} and factors:
                raise Unread("where does the operand end?")
            if factors and not self._continues(factors):
                raise Unread("where does the operand end?")
            if self.is_number() and factors:
                raise Unread("where does the operand end?")
            factors.append(self.power())
        if not factors:
            if self.peek() == "|":
                return self.power()
            raise Unread("a function without operand")
        if self.peek() in {"/", "!"} or (self.peek() in {"cdot", "times", "*"} and len(factors) > 1):
            raise Unread("where does the operand end?")
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    def _continues(self, factors: list[Node]) -> bool:
        r"""Whether one factor more belongs to the operand: `2x`, `2\pi x`, `\omega t`."""
        last = factors[-1]
        if last.op == "num" or last.op == "const":
            return True
        if last.op == "div" or last.op == "root":
            return not self.spaced() and all(one.op == "num" for one in walk(last) if one.op in {"num", "sym"})
        return last.op == "sym" and last.args[0] in GREEK.values() and len(factors) < 3

    def _argument(self) -> Node:
        """`{…}`, or one digit, letter or command, as LaTeX takes it."""
        if self.accept("{"):
            inner = self.deeper(self.sum)
            self.expect("}")
            return inner
        if self.is_number():
            token = self.take()
            if not token.text.isdigit() or len(token.text) > 1:
                raise Unread("more than one digit without braces")
            return self._num(token)
        return self.atom()

    def _fraction(self) -> Node:
        if self.peek() != "{" and self.is_number() and len(self.peek()) == 2 and self.peek().isdigit():
            both = self.take().text  # \frac12
            return Node("div", (num(int(both[0])), num(int(both[1]))))
        derivative = self._derivative()
        if derivative is not None:
            return derivative
        return Node("div", (self._argument(), self._argument()))

    def _derivative(self) -> Node | None:
        r"""`\frac{dy}{dx}`, `\frac{\partial^2 u}{\partial x\partial y}`; None where it is a fraction."""
        begin = self.at
        above, below = self._braced_tokens(), self._braced_tokens()
        if above and below and above[0].text in {"d", "partial"} and below[0].text == above[0].text:
            operator = above[0].text
            order, rest = _order(above[1:])
            variables: list[str] = []
            at = 0
            while at < len(below) and below[at].text == operator:
                if at + 1 >= len(below) or below[at + 1].kind != "name":
                    raise Unread("a derivative by what?")
                name, at = below[at + 1].text, at + 2
                if at < len(below) and below[at].text == "_":
                    raise Unread("a derivative by a letter with an index")
                times, tail = _order(below[at:])
                at = len(below) - len(tail)
                variables += [name] * times
            if at < len(below) or len(variables) != order:
                raise Unread("a derivative whose orders differ")
            if rest:
                inner = Parser(rest)
                operand = inner.product()
                if inner.at < len(rest):
                    raise Unread("a derivative of what?")
            else:
                operand = self.power()
                if self._starts_factor():
                    raise Unread("a derivative of what?")
            return Node("deriv", (operator, operand, tuple(sorted(variables))))
        if any(one.text == "partial" for one in (*above, *below)):
            raise Unread("a derivative")
        self.at = begin
        return None

    def _braced_tokens(self) -> list[Token]:
        if self.peek() != "{":
            return []
        begin, depth = self.at + 1, 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.take().text, 0)
            if not depth:
                return self.tokens[begin : self.at - 1]

    def _partial(self) -> Node:
        raise Unread("a derivative")

    def _root(self) -> Node:
        degree = num(2)
        if self.peek() == "[":
            self.at += 1
            degree = self.deeper(self.sum)
            self.expect("]")
        return Node("root", (degree, self._root_operand()))

    def _root_operand(self) -> Node:
        if self.peek() == "(":
            self.at += 1
            inner = self.deeper(self.sum)
            self.expect(")")
            return inner
        if self.is_number():
            return self._num(self.take())
        return self._argument()

    def _big(self, op: str) -> Node:
        self.expect("_")
        self.expect("{")
        variable = self.take()
        self.expect("=")
        first = self.sum()
        self.expect("}")
        self.expect("^")
        last = self._argument()
        body = self.product()
        if variable.kind != "name":
            raise Unread("a sum over what?")
        return Node(op, (sym(variable.text), first, last, body))

    def _between(self, close: str, op: str) -> Node:
        inner = self.deeper(self.sum)
        self.expect(close)
        return Node(op, (inner,))

    def _bars(self) -> Node:
        self.bars += 1
        inner = self.sum()
        self.bars -= 1
        if self.accept("|") is None:
            raise Unread("a bar that does not close")
        return Node("abs", (inner,))

    def _braces(self) -> Node:
        inner = self._bracketed("}")
        return Node("set", inner[1]) if len(inner[1]) != 1 else inner[1][0]

    def _bracketed(self, close: str) -> tuple[tuple[str, ...], tuple[Node, ...]]:
        bars, self.bars = self.bars, 0
        marks, items = self.items(close)
        self.expect(close)
        self.bars = bars
        return marks, items

    def _round(self) -> Node:
        begin = self.at
        cycles = self._cycles()
        if cycles is not None:
            return cycles
        self.at = begin
        bars, self.bars = self.bars, 0
        marks, items = self.items(")")
        close = self.take().text
        self.bars = bars
        if close == "]" or len(items) > 1 or not items:
            if close not in {")", "]"} or (len(items) != 2 and close == "]"):
                raise Unread("brackets that do not match")
            return Node("list", ("(" + close, marks, items))
        if close != ")":
            raise Unread("brackets that do not match")
        [inner] = items
        fraction = inner.op == "div" and self.tokens[begin].text == "frac" and self.peek() != "^"
        whole = begin == 1 and self.at == len(self.tokens)
        if fraction and (whole or any(one.op == "sym" for one in walk(inner))):
            raise Unread("a fraction in brackets, or a Legendre symbol")
        if inner.op == "seq":
            raise Unread("a sequence in brackets")
        return inner

    def _cycles(self) -> Node | None:
        r"""`(1\ 2\ 3)(4 5)`; None where the brackets hold something else."""
        cycles: list[tuple[int, ...]] = []
        self.at -= 1
        while self.peek() == "(":
            begin = self.at
            numbers: list[int] = []
            self.at += 1
            while self.is_number() and self.peek().isdigit():
                if numbers and not self.spaced():
                    return None
                numbers.append(int(self.take().text))
            if self.peek() != ")" or len(numbers) < 2 or len(set(numbers)) < len(numbers):
                self.at = begin
                break
            self.at += 1
            cycles.append(tuple(numbers))
        if not cycles:
            self.at += 1
            return None
        if self._starts_factor() or self.peek() in {"^", "!", "/", "*", "_"}:
            raise Unread("cycles with operators")
        return Node("cycles", tuple(cycles))

    def _square(self) -> Node:
        begin = self.at
        if self.is_name() and self.peek(1) == ":" and self.is_name(2) and self.peek(3) == "]":
            group, subgroup = self.take().text, self.tokens[self.at + 1].text
            self.at += 3
            return Node("index", (sym(group), sym(subgroup)))
        bars, self.bars = self.bars, 0
        marks, items = self.items("]")
        self.bars = bars
        close = self.take().text
        if (close == ")" and len(items) == 2) or (close == "[" and len(items) == 2):
            return Node("list", ("[" + (")" if close == "[" else close), marks, items))
        if close != "]":
            raise Unread("brackets that do not match")
        if len(items) < 2 and self.at - begin > 1 and self._starts_factor():
            raise Unread("square brackets in a formula")
        return Node("list", ("[]", marks, items))

    def _french(self) -> Node:
        """`]0, 1[`: open ends."""
        marks, items = self.items("[")
        close = self.take().text
        if close not in {"[", "]"} or len(items) != 2:
            raise Unread("brackets that do not match")
        return Node("list", ("(" + (")" if close == "[" else "]"), marks, items))

    def _angle(self) -> Node:
        marks, items = self._bracketed("rangle")
        return Node("list", ("⟨⟩", marks, items))

    def _set(self) -> Node:
        bars, self.bars = self.bars, 1
        marks, items = self.items("\\}")
        if len(items) == 1 and self.accept("|", "mid", ":"):
            self.bars = 0
            _, conditions = self.items("\\}")
            self.expect("\\}")
            self.bars = bars
            if not conditions:
                raise Unread("a set without its condition")
            return Node("builder", (items[0], *conditions))
        self.expect("\\}")
        self.bars = bars
        if ";" in marks:
            raise Unread("a set with semicolons")
        return Node("set", items)

    def _matrix(self, kind: str) -> Node:
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            row.append(self.deeper(self.sum))
            if self.accept("&"):
                continue
            rows.append(tuple(row))
            row = []
            if self.accept("\\\\") and self.peek() != f"end:{kind}":
                continue
            self.expect(f"end:{kind}")
            break
        if len({len(one) for one in rows}) > 1:
            raise Unread("rows of different lengths")
        return Node("matrix", ("v" if kind == "vmatrix" else "", *rows))


def _order(tokens: list[Token]) -> tuple[int, list[Token]]:
    """`^2` in a derivative, and what follows."""
    if tokens and tokens[0].text == "^":
        if len(tokens) > 1 and tokens[1].kind == "num" and tokens[1].text.isdigit():
            return int(tokens[1].text), tokens[2:]
        if len(tokens) > 3 and tokens[1].text == "{" and tokens[2].text.isdigit() and tokens[3].text == "}":
            return int(tokens[2].text), tokens[4:]
        raise Unread("the order of a derivative")
    return 1, tokens


def _lettered(node: Node) -> bool:
    """Whether a factor may be a vector or a matrix: a letter, perhaps raised or marked."""
    while node.op in {"pow", "mark", "neg", "dot", "cross"}:
        node = node.args[0]
    return node.op in {"sym", "deriv", "type"} or (node.op == "mul" and any(map(_lettered, node.args)))
