"""YAML with limits: no alias that repeats, none that refers to itself, no nesting beyond reason.

PyYAML reads "billion laughs", self-reference and thousands of levels until memory or the stack ends.
"""

from contextlib import suppress

import yaml

SIZE_LIMIT = 4 * 1024 * 1024
"""Characters."""
DEPTH_LIMIT = 50
NODES_LIMIT = 200_000
"""Nodes once aliases are followed."""


def compose(text: str) -> yaml.Node | None:
    """The tree of a document. Raises ValueError for one beyond the limits, YAMLError for one that is not YAML."""
    if len(text) > SIZE_LIMIT:
        raise ValueError(f"it has {len(text):,} characters; at most {SIZE_LIMIT:,} are read")
    _check_depth(text)
    root = yaml.compose(text, yaml.SafeLoader)
    if root is not None:
        _count(root, {}, set())
    return root


def load(text: str) -> object:
    """The value of a document, as `yaml.safe_load`. Raises as `compose`."""
    compose(text)
    return yaml.safe_load(text)


def _check_depth(text: str) -> None:
    """The parser's events come without recursion, its tree does not. What is not YAML is left to the composer."""
    depth = 0
    with suppress(yaml.YAMLError):
        for event in yaml.parse(text, yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_LIMIT:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ValueError(f"line {line}: nested more than {DEPTH_LIMIT} levels deep")


def _count(node: yaml.Node, counted: dict[int, int], above: set[int]) -> int:
    """Nodes below and with this one, aliases followed. Raises ValueError beyond the limit, or for a cycle."""
    if id(node) in above:
        raise ValueError(f"line {node.start_mark.line + 1}: an alias refers to what it is part of")
    if id(node) not in counted:
        children = node.value if isinstance(node, yaml.SequenceNode) else ()
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        inside = above | {id(node)}
        counted[id(node)] = 1 + sum(_count(child, counted, inside) for child in children)
        if counted[id(node)] > NODES_LIMIT:
            raise ValueError(
                f"line {node.start_mark.line + 1}: more than {NODES_LIMIT:,} values once aliases are followed"
            )
    return counted[id(node)]
